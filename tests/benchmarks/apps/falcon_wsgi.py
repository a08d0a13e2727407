from __future__ import annotations

import falcon


class Text:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, World!"


class Small:
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.media = {"message": "Hello, World!", "count": 3}


class Form:
    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = f"Data received: {req.get_media()['text']}"


class Item:
    def on_get(self, req: falcon.Request, resp: falcon.Response, item_id: int) -> None:
        resp.media = {"item_id": item_id}


app = falcon.App()
app.add_route("/", Text())
app.add_route("/json", Small())
app.add_route("/form", Form())
app.add_route("/items/{item_id:int}", Item())
