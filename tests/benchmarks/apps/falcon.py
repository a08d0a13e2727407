from __future__ import annotations

import falcon
import falcon.asgi


class Text:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.content_type = falcon.MEDIA_TEXT
        resp.text = "Hello, World!"


class Small:
    async def on_get(self, req: falcon.asgi.Request, resp: falcon.asgi.Response) -> None:
        resp.media = {"message": "Hello, World!", "count": 3}


class User:
    async def on_get(
        self, req: falcon.asgi.Request, resp: falcon.asgi.Response, user_id: int
    ) -> None:
        resp.media = {"user_id": user_id, "limit": req.get_param_as_int("limit", default=20)}


app = falcon.asgi.App()
app.add_route("/", Text())
app.add_route("/json", Small())
app.add_route("/users/{user_id:int}", User())
