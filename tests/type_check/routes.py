"""What users write around routes, hooks and error handlers; checked by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Any

from kolben import (
    Blueprint,
    Kolben,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    stream_template,
    url_for,
)
from kolben.exceptions import HTTPException, NotFound
from kolben.views import MethodView, View

app = Kolben(__name__)
pages = Blueprint("pages", __name__, url_prefix="/pages")


@app.route("/str")
def text() -> str:
    return "hello"


@app.route("/bytes")
async def octets() -> bytes:
    return b"hello"


@app.get("/json")
def mapping() -> dict[str, Any]:
    return {"status": "ok"}


@app.get("/list")
async def listing() -> list[str]:
    return ["a", "b"]


@app.get("/jsonify")
def made() -> Response:
    return jsonify(status="ok")


@app.post("/status")
def with_status() -> tuple[str, int]:
    return "made", 201


@app.post("/enum")
def with_enum() -> tuple[str, HTTPStatus]:
    return "made", HTTPStatus.CREATED


@app.put("/headers")
async def with_headers() -> tuple[str, dict[str, str]]:
    return "hello", {"X-Frame-Options": "DENY"}


@app.patch("/all")
def with_all() -> tuple[str, int, dict[str, str]]:
    return "hello", 202, {"X-Frame-Options": "DENY"}


@app.delete("/pairs")
def with_pairs() -> tuple[str, int, list[tuple[str, str]]]:
    return "", 200, [("X-Frame-Options", "DENY")]


@app.get("/response")
def prepared() -> Response:
    response = make_response("hello")
    response.set_cookie("theme", "dark", samesite="Lax", httponly=True)
    response.headers["X-Frame-Options"] = "DENY"
    response.status_code = 203
    return response


@app.get("/moved")
async def moved() -> Response:
    return redirect(url_for("text", _external=True, page=2))


@app.get("/template")
def template() -> str:
    return render_template("index.html", name="Ada")


@app.get("/stream-template")
def streamed_template() -> Iterator[str]:
    return stream_template("index.html", name="Ada")


@app.get("/generator")
def generator() -> Iterator[str]:
    yield "a"
    yield "b"


@app.get("/async-generator")
async def async_generator() -> AsyncIterator[bytes]:
    yield b"a"
    yield b"b"


@pages.get("/<name>")
def page(name: str) -> str:
    return name


@app.before_request
def first() -> None:
    pass


@app.before_request
async def refuse() -> tuple[str, int]:
    return "no", 403


@app.after_request
async def sign(response: Response) -> Response:
    response.headers["X-Signed"] = "yes"
    return response


@app.teardown_request
def finish(error: BaseException | None) -> None:
    pass


@app.teardown_appcontext
async def release(error: BaseException | None) -> None:
    pass


@app.errorhandler(404)
def missing(error: NotFound) -> tuple[str, int]:
    return "missing", 404


@app.errorhandler(HTTPException)
async def refused(error: HTTPException) -> dict[str, Any]:
    return {"code": error.code, "name": error.name}


@app.errorhandler(ValueError)
def wrong(error: ValueError) -> str:
    return str(error)


@pages.app_errorhandler(500)
def broken(error: Exception) -> str:
    return "broken"


@app.url_value_preprocessor
def pull_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
    pass


@app.url_defaults
def add_language(endpoint: str, values: dict[str, Any]) -> None:
    values.setdefault("language", "en")


@app.context_processor
def inject() -> dict[str, Any]:
    return {"year": 2026}


@app.template_filter("shout")
def shout(value: str) -> str:
    return value.upper()


@app.template_test()
def odd(value: int) -> bool:
    return value % 2 == 1


@app.template_global()
def version() -> str:
    return "1"


@app.shell_context_processor
def shell() -> dict[str, Any]:
    return {"app": app}


class Ping(View):
    def dispatch_request(self) -> str:
        return "pong"


class Items(MethodView):
    init_every_request = False

    def get(self, item_id: int) -> dict[str, int]:
        return {"id": item_id}

    async def post(self, item_id: int) -> tuple[str, int]:
        return "", 204


app.add_url_rule("/ping", view_func=Ping.as_view("ping"))
app.add_url_rule("/items/<int:item_id>", view_func=Items.as_view("items"))
app.register_blueprint(pages, url_prefix="/p")
