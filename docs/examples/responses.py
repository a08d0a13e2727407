"""What a view may return."""

from kolben import (
    Kolben,
    after_this_request,
    make_response,
    redirect,
    request,
    stream_with_context,
    url_for,
)

app = Kolben(__name__)


# [values]
@app.get("/text")
def text():
    return "<p>HTML, in UTF-8</p>"


@app.get("/json")
def json():
    return {"a": "JSON object"}


@app.get("/made")
async def made():
    return {"id": 7}, 201, {"Location": "/things/7"}


@app.get("/gone")
async def gone():
    return "", 204


# [/values]


# [response]
@app.get("/theme")
def theme():
    response = make_response("dark it is")
    response.set_cookie("theme", "dark", max_age=3600, samesite="Lax")
    response.cache_control.no_store = True
    return response


# [/response]


# [redirect]
@app.get("/old")
def old():
    return redirect(url_for("theme"), 301)


# [/redirect]


# [stream]
@app.get("/numbers")
async def numbers():
    async def generate():
        for number in range(3):
            yield f"{number}\n"

    return generate(), {"Content-Type": "text/plain"}


@app.get("/greet")
def greet():
    def generate():
        yield "Hello, "
        yield request.args["name"]

    return stream_with_context(generate()), {"Content-Type": "text/plain"}


# [/stream]


# [after]
@app.get("/visit")
def visit():
    @after_this_request
    def remember(response):
        response.set_cookie("visited", "yes")
        return response

    return "welcome"


# [/after]


# [asgi]
async def small_application(scope, receive, send):
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"from another application"})


@app.get("/other")
async def other():
    return small_application


# [/asgi]
