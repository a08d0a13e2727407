"""The client called without an event loop."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import threading
import weakref
from io import BytesIO
from typing import Any

import pytest

from kolben import Kolben, Response, current_app, g, redirect, request, session
from kolben.testing import Client, ClientRedirectError, IllegalResponse, TestResponse

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.fixture
def app() -> Kolben:
    app = Kolben("app", root_path=".")
    app.testing = True
    app.secret_key = "a secret that is long enough"
    return app


@pytest.fixture
def client(app: Kolben) -> Client:
    return app.test_client()


METHODS = ["get", "post", "put", "patch", "delete", "options", "trace"]


@pytest.mark.parametrize("method", METHODS)
def test_methods(app: Kolben, client: Client, method: str) -> None:
    @app.route("/", methods=[name.upper() for name in METHODS])
    def index() -> str:
        return request.method

    response = getattr(client, method)("/")
    assert response.text == method.upper()
    assert client.open("/", method=method).text == method.upper()


def test_a_head_response_has_headers_and_no_body(app: Kolben, client: Client) -> None:
    app.add_url_rule("/", "index", lambda: "12345")
    response = client.head("/")
    assert response.data == b"" and response.headers["Content-Length"] == "5"


def test_what_a_response_offers(app: Kolben, client: Client) -> None:
    @app.post("/<name>")
    def view(name: str) -> tuple[dict[str, Any], int, dict[str, str]]:
        return {"name": name, "x": request.form["x"]}, 201, {"X-A": "1"}

    response = client.post("/ada", data={"x": "1"})
    assert isinstance(response, TestResponse)
    assert response.status_code == 201 and response.status == "201 CREATED"
    assert response.headers["x-a"] == "1" and response.mimetype == "application/json"
    assert response.json == response.get_json() == {"name": "ada", "x": "1"}
    assert response.data == response.get_data() == response.text.encode()
    assert response.request.path == "/ada" and response.request.form["x"] == "1"
    assert response.history == () and not response.is_streamed


def test_uploads(app: Kolben, client: Client) -> None:
    @app.post("/")
    def upload() -> str:
        file = request.files["file"]
        return f"{file.filename} {file.mimetype} {len(file.read())}"

    data = {"file": (BytesIO(b"x" * 1_000_000), "a.png")}
    assert client.post("/", data=data).text == "a.png image/png 1000000"


def test_def_views_and_async_views_run_where_they_should(app: Kolben, client: Client) -> None:
    here = threading.current_thread()

    @app.get("/def")
    def plain() -> str:
        assert threading.current_thread() is here
        return "def"

    @app.get("/async")
    async def awaited() -> str:
        assert threading.current_thread() is not here
        return "async"

    @app.get("/generator")
    def generator() -> Any:
        def parts() -> Any:
            for part in ("a", "b"):
                assert threading.current_thread() is here
                yield part

        return parts()

    assert client.get("/def").text == "def"
    assert client.get("/async").text == "async"
    assert client.get("/generator").text == "ab"


def test_context_variables_of_the_test_are_seen(app: Kolben, client: Client) -> None:
    @app.get("/def")
    def plain() -> str:
        return variable.get()

    @app.get("/async")
    async def awaited() -> str:
        return variable.get()

    token = variable.set("set by the test")
    assert client.get("/def").text == client.get("/async").text == "set by the test"
    variable.reset(token)


def test_g_is_shared_with_the_application_context_around_the_call(
    app: Kolben, client: Client
) -> None:
    ended: list[str] = []
    app.teardown_appcontext(lambda exc: ended.append("torn down"))

    @app.get("/")
    def index() -> str:
        g.seen = True
        return str(g.name)

    with app.app_context():
        g.name = "from the test"
        assert client.get("/").text == "from the test"
        assert g.seen and ended == []
    assert ended == ["torn down"]


class _Fatal(BaseException):
    pass


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit, _Fatal])
@pytest.mark.parametrize("colour", ["def", "async"])
def test_errors_of_views_reach_the_test(
    app: Kolben, client: Client, error: type[BaseException], colour: str
) -> None:
    @app.get("/def")
    def plain() -> str:
        raise error("here")

    @app.get("/async")
    async def awaited() -> str:
        raise error("here")

    app.add_url_rule("/fine", "fine", lambda: "fine")
    with pytest.raises(error, match="here"):
        client.get(f"/{colour}")
    assert client.get("/fine").text == "fine"


def test_errors_become_a_500_outside_of_tests(app: Kolben, client: Client) -> None:
    app.testing = False

    @app.get("/")
    def index() -> str:
        raise ZeroDivisionError

    assert client.get("/").status_code == 500


def test_an_illegal_response_of_a_view_fails_the_test(app: Kolben, client: Client) -> None:
    @app.get("/")
    async def index() -> Response:
        async def parts() -> Any:
            yield "more than that"

        return Response(parts(), headers={"Content-Length": "2"})

    with pytest.raises(IllegalResponse, match="longer than its Content-Length"):
        client.get("/", buffered=True)


# Redirects -----------------------------------------------------------------------------------


@pytest.fixture
def redirecting(app: Kolben) -> Kolben:
    @app.route("/to", methods=["GET", "POST", "HEAD"])
    def to() -> Any:
        return redirect(request.args["url"], int(request.args.get("code", 302)))

    @app.route("/end", methods=["GET", "POST"])
    def end() -> str:
        return f"{request.method} {request.get_data(as_text=True)} {request.args.get('q')}"

    app.add_url_rule("/circle", "circle", lambda: redirect("/circle"))
    return app


def test_redirects_are_followed_when_asked_for(redirecting: Kolben, client: Client) -> None:
    assert client.get("/to?url=/end").status_code == 302
    response = client.get("/to?url=/to?url=/end?q=1", follow_redirects=True)
    assert response.text == "GET  None" or response.text == "GET  1"
    assert [old.request.path for old in response.history] == ["/to", "/to"]
    assert response.history[0].history == ()
    assert response.history[1].history == (response.history[0],)
    assert response.request.path == "/end"


@pytest.mark.parametrize(
    ("code", "seen"), [(301, "GET  None"), (303, "GET  None"), (307, "POST abc None"),
                       (308, "POST abc None")],
)  # fmt: skip
def test_what_is_sent_again(redirecting: Kolben, client: Client, code: int, seen: str) -> None:
    response = client.post(f"/to?url=/end&code={code}", data="abc", follow_redirects=True)
    assert response.text == seen


def test_head_stays_head(redirecting: Kolben, client: Client) -> None:
    response = client.head("/to?url=/end", follow_redirects=True)
    assert response.request.method == "HEAD" and response.status_code == 200


def test_a_circle_is_an_error(redirecting: Kolben, client: Client) -> None:
    with pytest.raises(ClientRedirectError, match="302 redirect to /circle"):
        client.get("/circle", follow_redirects=True)


@pytest.mark.parametrize("url", ["http://other.example/end", "//other.example/end"])
def test_other_sites_are_not_visited(redirecting: Kolben, client: Client, url: str) -> None:
    with pytest.raises(RuntimeError, match="external redirects"):
        client.get("/to", query_string={"url": url}, follow_redirects=True)


def test_subdomains_are_visited_when_allowed(redirecting: Kolben) -> None:
    url = "http://www.localhost/end"
    with pytest.raises(RuntimeError, match="subdomain redirects is not enabled"):
        redirecting.test_client().get("/to", query_string={"url": url}, follow_redirects=True)
    client = redirecting.test_client(allow_subdomain_redirects=True)
    response = client.get("/to", query_string={"url": url}, follow_redirects=True)
    assert response.request.host == "www.localhost"


def test_redirects_inside_and_outside_of_a_mount(redirecting: Kolben, client: Client) -> None:
    response = client.get("/to?url=/m/end", base_url="http://localhost/m", follow_redirects=True)
    assert (response.request.root_path, response.request.path) == ("/m", "/end")
    response = client.get("/to?url=/end", base_url="http://localhost/m", follow_redirects=True)
    assert (response.request.root_path, response.request.path) == ("", "/end")


def test_relative_redirects(redirecting: Kolben, client: Client) -> None:
    assert client.get("/to?url=end", follow_redirects=True).request.path == "/end"
    assert client.get("/to?url=%3Fcode=303%26url=/end", follow_redirects=True).text == "GET  None"


def test_a_redirect_can_be_resolved_by_hand(redirecting: Kolben, client: Client) -> None:
    response = client.get("/to?url=/end?q=1")
    assert client.resolve_redirect(response).text == "GET  1"


# Contexts ------------------------------------------------------------------------------------


def test_with_keeps_the_context_of_the_last_request(app: Kolben, client: Client) -> None:
    ended: list[str] = []

    @app.get("/<name>")
    def index(name: str) -> str:
        g.name = session["name"] = name
        return name

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        ended.append(f"{g.name} {current_app.name}")

    with client:
        client.get("/one")
        assert (request.path, g.name, session["name"]) == ("/one", "one", "one")
        assert ended == []
        client.get("/two")
        assert (request.path, g.name) == ("/two", "two")
        assert ended == ["one app"]
    assert ended == ["one app", "two app"]
    assert not request and not g
    client.get("/three")
    assert ended[2:] == ["three app"] and not request


def test_async_teardown_runs_on_the_loop_of_the_requests(app: Kolben, client: Client) -> None:
    loops: list[Any] = []

    @app.get("/")
    async def index() -> str:
        loops.append(asyncio.get_running_loop())
        return ""

    @app.teardown_request
    async def teardown(exc: BaseException | None) -> None:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())

    with client:
        client.get("/")
        assert request.path == "/" and len(loops) == 1
    assert loops[0] is loops[1]


def test_the_context_of_a_failed_request_can_be_looked_at(app: Kolben, client: Client) -> None:
    @app.get("/")
    def index() -> str:
        raise ZeroDivisionError

    with client:
        with pytest.raises(ZeroDivisionError):
            client.get("/")
        assert request.path == "/"
    assert not request


def test_with_does_not_nest(client: Client) -> None:
    with client, pytest.raises(RuntimeError, match="Cannot nest"):
        client.__enter__()


def test_an_error_in_the_block_ends_the_context(app: Kolben, client: Client) -> None:
    app.add_url_rule("/", "index", lambda: "")
    with pytest.raises(ZeroDivisionError), client:
        client.get("/")
        raise ZeroDivisionError
    assert not request


# Sessions ------------------------------------------------------------------------------------


def test_sessions_can_be_changed_between_requests(app: Kolben, client: Client) -> None:
    @app.get("/")
    def index() -> dict[str, Any]:
        session["visits"] = session.get("visits", 0) + 1
        return dict(session)

    with client.session_transaction() as transaction:
        assert not transaction
        transaction["visits"] = 5
    assert client.get("/").json == {"visits": 6}
    with client.session_transaction("/", base_url="http://localhost") as transaction:
        assert transaction["visits"] == 6
        del transaction["visits"]
    assert client.get("/").json == {"visits": 1}
    with pytest.raises(ZeroDivisionError), client.session_transaction() as transaction:
        transaction["visits"] = 100
        raise ZeroDivisionError
    assert client.get("/").json == {"visits": 2}


def test_a_session_needs_a_key(app: Kolben, client: Client) -> None:
    app.secret_key = None
    with pytest.raises(RuntimeError, match=r"[Ss]ession"), client.session_transaction() as opened:
        opened["a"] = 1


def test_async_session_interfaces(app: Kolben, client: Client) -> None:
    from kolben.sessions import SecureCookieSessionInterface

    class Interface(SecureCookieSessionInterface):
        async def open_session(self, app: Any, request: Any) -> Any:  # type: ignore[override]
            return super().open_session(app, request)

        async def save_session(self, *args: Any) -> None:  # type: ignore[override]
            super().save_session(*args)

    app.session_interface = Interface()
    app.add_url_rule("/", "index", lambda: dict(session))
    with client.session_transaction() as transaction:
        transaction["a"] = 1
    assert client.get("/").json == {"a": 1}


# Making clients ------------------------------------------------------------------------------


def test_client_classes_get_the_keyword_arguments(app: Kolben) -> None:
    class LoggedIn(Client):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            user = kwargs.pop("user")
            super().__init__(*args, **kwargs)
            with self.session_transaction() as transaction:
                transaction["user"] = user

        def open(self, *args: Any, **kwargs: Any) -> TestResponse:
            kwargs["headers"] = {"X-A": "from the subclass"}
            return super().open(*args, **kwargs)

    app.add_url_rule("/", "index", lambda: f"{session['user']} {request.headers['X-A']}")
    app.test_client_class = LoggedIn
    assert app.test_client(user="ada").get("/").text == "ada from the subclass"


def test_responses_have_the_methods_of_the_wrapper(app: Kolben) -> None:
    class Mine(Response):
        def shout(self) -> str:
            return self.get_data(as_text=True).upper()

    app.add_url_rule("/", "index", lambda: "a")
    response: Any = Client(app, Mine).get("/")
    assert response.shout() == "A" and isinstance(response, TestResponse)
    assert type(Client(app, Response).get("/")) is TestResponse
    assert type(Client(app, TestResponse).get("/")) is TestResponse


def test_defaults_of_a_client(app: Kolben, client: Client) -> None:
    app.add_url_rule("/", "index", lambda: f"{request.remote_addr} {request.user_agent}")
    assert client.get("/").text.startswith("127.0.0.1 Kolben/")
    client.environ_base["REMOTE_ADDR"] = "192.0.2.1"
    client.environ_base["HTTP_USER_AGENT"] = "mine"
    assert client.get("/").text == "192.0.2.1 mine"
    assert client.get("/", headers={"User-Agent": "other"}).text == "192.0.2.1 other"
    assert client.get("/", environ_base={"REMOTE_ADDR": "::1"}).text == "::1 mine"


def test_a_request_can_be_made_from_a_builder_a_scope_or_a_request(
    app: Kolben, client: Client
) -> None:
    from kolben.testing import RequestBuilder

    app.add_url_rule("/a", "a", lambda: request.get_data(), methods=["POST"])
    builder = RequestBuilder(app, "/a", method="POST", data="abc")
    assert client.open(builder).text == "abc"
    assert client.open(builder.request()).text == "abc"
    assert client.open(builder.get_environ()).text == "abc"
    scope, _ = builder.build()
    assert client.open({**scope, "headers": []}).text == ""


def test_json_is_written_and_read_by_the_application(app: Kolben, client: Client) -> None:
    from datetime import date

    app.add_url_rule("/", "index", lambda: request.get_json(), methods=["POST"])
    assert client.post("/", json={"d": date(2026, 1, 2)}).json == {
        "d": "Fri, 02 Jan 2026 00:00:00 GMT"
    }


# Bodies that are sent as they come -----------------------------------------------------------


def test_a_request_body_may_be_an_iterator(app: Kolben, client: Client) -> None:
    app.add_url_rule("/", "index", lambda: request.get_data(), methods=["POST"])

    async def pieces() -> Any:
        yield b"d"
        yield b"e"

    assert client.post("/", data=iter([b"a", b"bc"])).text == "abc"
    assert client.post("/", data=pieces()).text == "de"


def test_a_body_that_fails_is_a_client_that_has_gone(app: Kolben, client: Client) -> None:
    called: list[str] = []
    app.add_url_rule("/", "index", lambda: called.append("view"), methods=["POST"])

    def pieces() -> Any:
        yield b"a"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        client.post("/", data=pieces())
    assert called == []


# Threads and loops ---------------------------------------------------------------------------


def test_one_loop_serves_all_clients_of_an_application(app: Kolben) -> None:
    loops: list[Any] = []

    @app.get("/")
    async def index() -> str:
        loops.append(asyncio.get_running_loop())
        return ""

    first, second = app.test_client(), app.test_client()
    first.get("/")
    second.get("/")
    first.get("/")
    assert loops[0] is loops[1] is loops[2]


def _background_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "kolben-test-client"}


def test_a_client_that_is_freed_leaves_neither_thread_nor_loop() -> None:
    before = _background_threads()
    loops: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        loops.append(asyncio.get_running_loop())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    client = Client(application)
    assert _background_threads() == before
    client.get("/")
    assert len(_background_threads() - before) == 1
    del client
    assert _background_threads() == before
    assert loops[0].is_closed()


def test_an_application_is_freed_with_its_client() -> None:
    app = Kolben("app", root_path=".")
    app.add_url_rule("/", "index", lambda: "a")
    client = app.test_client()
    response = client.get("/")
    freed = weakref.ref(app)
    gc.collect()
    gc.disable()
    try:
        del app, client, response
        assert freed() is None
    finally:
        gc.enable()


def test_a_closed_client_ends_its_loop_and_can_be_used_again(app: Kolben) -> None:
    before = _background_threads()
    app.add_url_rule("/", "index", lambda: "a")
    client = app.test_client()
    client.get("/")
    client.close()
    assert _background_threads() == before
    assert client.get("/").text == "a"
    client.close()
    client.close()


def test_tasks_that_are_left_behind_are_cancelled() -> None:
    cancelled = threading.Event()
    tasks: list[Any] = []

    async def forever() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def application(scope: Any, receive: Any, send: Any) -> None:
        tasks.append(asyncio.create_task(forever()))
        await asyncio.sleep(0)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    client = Client(application)
    client.get("/")
    client.close()
    assert cancelled.is_set()


def test_a_view_may_use_a_client_itself(app: Kolben, client: Client) -> None:
    app.add_url_rule("/inner", "inner", lambda: "inner")

    @app.get("/outer")
    def outer() -> str:
        return "outer " + app.test_client().get("/inner").text + client.get("/inner").text

    assert client.get("/outer").text == "outer innerinner"


def test_clients_in_several_threads(app: Kolben) -> None:
    app.add_url_rule("/", "index", lambda: threading.current_thread().name)
    client = app.test_client()
    seen: dict[str, str] = {}

    def work() -> None:
        seen[threading.current_thread().name] = client.get("/").text

    threads = [threading.Thread(target=work, name=f"t{number}") for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8 and all(name == text for name, text in seen.items())


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs a signal to a thread")
def test_ctrl_c_ends_a_request_that_waits(app: Kolben, client: Client) -> None:
    cancelled, torn_down = threading.Event(), threading.Event()

    @app.teardown_request
    def teardown(exc: BaseException | None) -> None:
        torn_down.set()

    @app.get("/")
    async def index() -> str:
        main = threading.main_thread().ident
        assert main is not None
        try:
            signal.pthread_kill(main, signal.SIGINT)
            await asyncio.sleep(3600)
        finally:
            cancelled.set()
        return ""

    app.add_url_rule("/fine", "fine", lambda: "fine")
    with pytest.raises(KeyboardInterrupt):
        client.get("/")
    assert cancelled.wait(10) and torn_down.wait(10)
    assert client.get("/fine").text == "fine"
