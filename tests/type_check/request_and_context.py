"""What users read from the request, the session and the context."""

from __future__ import annotations

from typing import Any, assert_type

from kolben import Kolben, abort, current_app, flash, g, get_flashed_messages, request, session

app = Kolben(__name__)


class OwnKolben(Kolben):
    """An application with attributes of its own."""

    greeting: str = "hello"


own = OwnKolben(__name__)
assert_type(own.greeting, str)


@app.post("/form")
def form() -> str:
    name: str = request.form["name"]
    page = request.args.get("page", 1, type=int)
    assert_type(page, int)
    maybe = request.args.get("q")
    assert_type(maybe, str | None)
    many: list[str] = request.form.getlist("tag")
    upload = request.files["picture"]
    picture: bytes = upload.read()
    raw: bytes = request.get_data()
    text: str = request.get_data(as_text=True)
    payload: Any = request.get_json(silent=True)
    host: str = request.host
    path: str = request.full_path
    agent: str | None = request.headers.get("User-Agent")
    cookie: str | None = request.cookies.get("theme")
    address: str | None = request.remote_addr
    endpoint: str | None = request.endpoint
    best: str | None = request.accept_mimetypes.best_match(["text/html", "application/json"])
    request.max_content_length = 1024
    if request.method == "POST" and request.is_json:
        abort(400, "plain forms only")
    return f"{name} {page} {many} {picture!r} {raw!r} {text} {payload} {host} {path} {agent}" + (
        f"{cookie} {address} {endpoint} {best}"
    )


@app.post("/upload", stream=True)
async def upload() -> dict[str, int]:
    size = 0
    async for chunk in request.stream:
        size += len(chunk)
    return {"size": size}


@app.post("/upload-def", stream=True)
def upload_def() -> dict[str, int]:
    return {"size": sum(len(chunk) for chunk in request.stream)}


@app.get("/session")
def visits() -> str:
    session["visits"] = session.get("visits", 0) + 1
    session.permanent = True
    session.pop("old", None)
    g.user = "Ada"
    user: str = g.get("user", "nobody")
    flash("Welcome", "info")
    messages = get_flashed_messages(with_categories=True)
    name: str = current_app.name
    debug: bool = current_app.debug
    current_app.logger.info("%s %s %s", user, name, messages)
    return str(debug)
