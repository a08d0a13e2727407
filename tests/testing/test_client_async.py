"""The same client, called where an event loop runs."""

from __future__ import annotations

import contextvars
import gc
import threading
import warnings
from typing import Any

import anyio
import pytest

from kolben import Kolben, g, redirect, request, session
from kolben.testing import Client, IllegalResponse

pytestmark = pytest.mark.anyio

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.fixture
def app() -> Kolben:
    app = Kolben("app", root_path=".")
    app.testing = True
    app.secret_key = "a secret that is long enough"

    @app.route("/def", methods=["GET", "POST"])
    def plain() -> str:
        return f"def {variable.get()}"

    @app.route("/async", methods=["GET", "POST"])
    async def awaited() -> str:
        await anyio.sleep(0)
        return f"async {variable.get()}"

    app.add_url_rule("/to", "to", lambda: redirect("/async"))
    return app


@pytest.fixture
def client(app: Kolben) -> Client:
    return app.test_client()


async def test_calls_are_awaited(client: Client) -> None:
    variable.set("set by the test")
    assert (await client.get("/def")).text == "def set by the test"
    assert (await client.post("/async", data={"a": "b"})).text == "async set by the test"


async def test_a_response_may_be_awaited_again(client: Client) -> None:
    response = await client.get("/def")
    assert await response is response


async def test_views_run_in_the_loop_of_the_test_or_in_a_worker(app: Kolben) -> None:
    here = threading.current_thread()
    seen: dict[str, threading.Thread] = {}

    @app.before_request
    async def note() -> None:
        seen["async"] = threading.current_thread()

    @app.get("/where")
    def where() -> str:
        seen["def"] = threading.current_thread()
        return ""

    await app.test_client().get("/where")
    assert seen["async"] is here and seen["def"] is not here


async def test_redirects(client: Client) -> None:
    response = await client.get("/to", follow_redirects=True)
    assert response.text.startswith("async") and len(response.history) == 1
    again = await client.resolve_redirect(response.history[0])
    assert again.text.startswith("async")


async def test_what_is_not_awaited_says_so(client: Client) -> None:
    with pytest.raises(RuntimeError, match=r"has no 'status_code' before .* 'response = await cl"):
        _ = client.get("/def").status_code
    with pytest.raises(RuntimeError, match=r"await client\.post\('/def'\)"):
        _ = client.post("/def").json
    with pytest.raises(RuntimeError, match="awaited"):
        with client.get("/def"):
            pass
    gc.collect()  # nothing more is said about them


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_what_is_forgotten_is_a_warning(client: Client) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client.get("/def")
        gc.collect()
    assert [str(warning.message) for warning in caught] == [
        "client.get('/def') was never awaited, so the request was never made."
    ]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("colour", ["def", "async"])
async def test_errors_reach_the_test(
    app: Kolben, client: Client, error: type[BaseException], colour: str
) -> None:
    @app.get("/error/def")
    def fails() -> str:
        raise error("here")

    @app.get("/error/async")
    async def fails_async() -> str:
        raise error("here")

    with pytest.raises(error, match="here"):
        await client.get(f"/error/{colour}")
    assert (await client.get("/def")).status_code == 200


async def test_illegal_responses_fail() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b"x"})

    with pytest.raises(IllegalResponse, match="204"):
        await Client(app).get("/")


@pytest.mark.parametrize("form", ["with", "async with"])
async def test_with_keeps_the_context(app: Kolben, client: Client, form: str) -> None:
    ended: list[str] = []

    @app.get("/keep/<colour>")
    async def keep(colour: str) -> str:
        g.name = session["name"] = colour
        return ""

    @app.teardown_request
    async def teardown(exc: BaseException | None) -> None:
        ended.append(g.name)

    if form == "with":
        with client:
            await client.get("/keep/one")
            assert (request.path, g.name, session["name"]) == ("/keep/one", "one", "one")
            await client.get("/keep/two")
            assert (g.name, ended) == ("two", ["one"])
    else:
        async with client:
            await client.get("/keep/one")
            assert (request.path, g.name, session["name"]) == ("/keep/one", "one", "one")
            await client.get("/keep/two")
            assert (g.name, ended) == ("two", ["one"])
    assert ended == ["one", "two"] and not request


async def test_teardown_that_waits_wants_async_with(app: Kolben, client: Client) -> None:
    ended: list[str] = []

    @app.teardown_request
    async def teardown(exc: BaseException | None) -> None:
        await anyio.sleep(0)
        ended.append("done")

    async with client:
        await client.get("/async")
        assert ended == []
    assert ended == ["done"]


@pytest.mark.parametrize("form", ["with", "async with"])
async def test_session_transactions(app: Kolben, client: Client, form: str) -> None:
    app.add_url_rule("/session", "session", lambda: dict(session))
    if form == "with":
        with client.session_transaction() as transaction:
            transaction["a"] = 1
    else:
        async with client.session_transaction() as transaction:
            transaction["a"] = 1
    assert (await client.get("/session")).json == {"a": 1}


async def test_sessions_that_have_to_wait_want_async_with(app: Kolben, client: Client) -> None:
    from kolben.sessions import SecureCookieSessionInterface

    class Interface(SecureCookieSessionInterface):
        async def open_session(self, app: Any, request: Any) -> Any:  # type: ignore[override]
            await anyio.sleep(0)
            return super().open_session(app, request)

        async def save_session(self, *args: Any) -> None:  # type: ignore[override]
            await anyio.sleep(0)
            super().save_session(*args)

    app.session_interface = Interface()
    app.add_url_rule("/session", "session", lambda: dict(session))
    async with client.session_transaction() as transaction:
        transaction["a"] = 1
    assert (await client.get("/session")).json == {"a": 1}


async def test_requests_at_the_same_time(app: Kolben, client: Client) -> None:
    arrived: list[int] = []
    everybody = anyio.Event()

    @app.get("/meet/<int:number>")
    async def meet(number: int) -> str:
        arrived.append(number)
        if len(arrived) == 5:
            everybody.set()
        await everybody.wait()
        return str(request.view_args)

    async def visit(number: int) -> None:
        assert (await client.get(f"/meet/{number}")).text == f"{{'number': {number}}}"

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(visit, number)


async def test_a_cancelled_call_ends_the_request(app: Kolben, client: Client) -> None:
    started, ended = anyio.Event(), anyio.Event()

    @app.get("/sleep")
    async def sleep() -> str:
        try:
            started.set()
            await anyio.sleep(3600)
        finally:
            ended.set()
        return ""

    async def visit() -> None:
        await client.get("/sleep")

    async with anyio.create_task_group() as group:
        group.start_soon(visit)
        await started.wait()
        group.cancel_scope.cancel()
    with anyio.fail_after(10):
        await ended.wait()


async def test_bodies_may_be_async_iterators(app: Kolben, client: Client) -> None:
    app.add_url_rule("/echo", "echo", lambda: request.get_data(), methods=["POST"])

    async def pieces() -> Any:
        for piece in (b"a", b"b"):
            await anyio.sleep(0)
            yield piece

    assert (await client.post("/echo", data=pieces())).data == b"ab"
