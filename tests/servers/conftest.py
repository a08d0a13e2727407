"""Real servers, each started once for all tests that ask it something."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .harness import KINDS, Kind, Server, until

#: What a server says when something went wrong that was not expected.
TROUBLE = re.compile(
    r"Traceback \(most recent call last\)|\bERROR\b|\bCRITICAL\b|Exception ignored|never awaited"
    r"|ResourceWarning|was destroyed but it is pending|never retrieved"
)

#: An error of the application's, as it logs it, or as a WSGI server logs it that gets it: the
#: one for a response that has begun.
ASKED_FOR = re.compile(
    r"(?m)^(?:.*Exception on /\S* \[\w+\]\n|.*Error handling request.*\n|.*raised an exception\n)?"
    r"(?s:Traceback(?:(?!^\S)..)*?.*?)^LookupError: expected.*$"
)
BREAK = re.compile("ERROR.*ASGI (callable|application) returned without completing (the )?response")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kinds(wanted): only for servers of which `wanted` holds")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of what a server does not do."""
    left_out = [item for item in items if not is_wanted(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def is_wanted(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    kind = callspec.params.get("kind") if callspec is not None else None
    return kind is None or all(mark.args[0](kind) for mark in item.iter_markers("kinds"))


@pytest.fixture(params=["", "/def"], ids=["async", "def"])
def at(request: pytest.FixtureRequest) -> str:
    """Where a view is that is there as ``async def`` and as ``def``."""
    return str(request.param)


@pytest.fixture(scope="session", params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each server in turn."""
    found: Kind = request.param
    found.need()
    return found


@pytest.fixture(scope="session")
def running(kind: Kind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for many tests."""
    folder = make_folder(tmp_path_factory.mktemp(kind.name))
    with Server(kind, "matrix:app", folder) as server:
        yield server
        status = server.stop()
        check_log(server)
        assert status in kind.exits


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The running server; its log must not tell of trouble when the test is over."""
    yield running
    if running.process is not None and running.process.poll() is None:
        assert running.get("/ready").status == 200
    check_log(running)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers for one test alone, which end with it."""
    with ExitStack() as stack:
        count = 0

        def start(
            kind: Kind, app: str = "matrix:app", prefix: str | None = None, *options: str
        ) -> Server:
            nonlocal count
            count += 1
            kind.need()
            folder = make_folder(tmp_path / str(count))
            return stack.enter_context(Server(kind, app, folder, prefix, options))

        yield start


def make_folder(folder: Path) -> Path:
    """A folder with the static files that the applications serve."""
    (folder / "static").mkdir(parents=True)
    (folder / "static" / "style.css").write_text("body { color: teal }\n")
    (folder / "static" / "bytes.bin").write_bytes(bytes(range(256)) * 1024)
    return folder


def check_log(server: Server) -> None:
    """Find the errors that tests have asked for in what the log has gained, and nothing else."""
    expected, breaks = server.expected_errors, server.expected_breaks
    until(
        lambda: len(ASKED_FOR.findall(server.new_log)) >= expected,
        "the error that was expected in the log",
    )
    log = server.new_log
    server.read_up_to += len(log)
    server.expected_errors = server.expected_breaks = 0
    rest = ASKED_FOR.sub("", log, count=expected)
    rest = BREAK.sub("", rest, count=breaks)
    for remark in server.kind.remarks:
        rest = re.sub(remark, "", rest)
    assert TROUBLE.search(rest) is None, log
