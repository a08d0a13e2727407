from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import anyio
import blinker
import flask.signals
import pytest
import quart.signals

from kolben import signals
from kolben.signals import Listening, Namespace, Signal, send, send_async


class App:
    pass


APP = App()


@pytest.fixture
def signal() -> Signal:
    return Namespace().signal("test")


def both(signal: Signal, seen: list[Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def plain(sender: Any, **data: Any) -> str:
        seen.append(("def", sender, data))
        return "plain"

    async def awaited(sender: Any, **data: Any) -> str:
        seen.append(("async def", sender, data))
        return "awaited"

    signal.connect(plain, weak=False)
    signal.connect(awaited, weak=False)
    return plain, awaited


@pytest.mark.parametrize("theirs", [flask.signals, quart.signals])
def test_every_signal_of_flask_and_quart_is_there(theirs: Any) -> None:
    for name, value in vars(theirs).items():
        if isinstance(value, blinker.NamedSignal):
            ours = getattr(signals, name)
            assert isinstance(ours, Signal)
            assert ours.name == value.name
            assert ours.__doc__


def test_receivers_of_both_colours_are_called_from_synchronous_code(signal: Signal) -> None:
    seen: list[Any] = []
    both(signal, seen)
    send(signal, APP, x=1)
    assert sorted(seen, key=lambda one: one[0]) == [
        ("async def", APP, {"x": 1}),
        ("def", APP, {"x": 1}),
    ]


def test_send_gives_each_receiver_with_its_result(signal: Signal) -> None:
    plain, awaited = both(signal, [])
    assert dict(signal.send(APP)) == {plain: "plain", awaited: "awaited"}


@pytest.mark.anyio
async def test_receivers_of_both_colours_are_called_from_asynchronous_code(signal: Signal) -> None:
    seen: list[Any] = []
    plain, awaited = both(signal, seen)

    async def slow(sender: Any, **data: Any) -> None:
        await anyio.sleep(0)
        seen.append(("slow", sender, data))

    signal.connect(slow)
    await send_async(signal, APP, x=1)
    assert {one[0] for one in seen} == {"def", "async def", "slow"}
    assert dict(await signal.send_async(APP)) == {plain: "plain", awaited: "awaited", slow: None}


@pytest.mark.anyio
async def test_a_receiver_that_need_not_wait_runs_on_the_loop_from_synchronous_code(
    signal: Signal,
) -> None:
    seen: list[Any] = []
    both(signal, seen)
    send(signal, APP)
    assert len(seen) == 2

    async def waits(sender: Any) -> None:
        await anyio.sleep(0)

    signal.connect(waits)
    with pytest.raises(RuntimeError, match="had to wait"):
        send(signal, APP)


@pytest.mark.anyio
async def test_a_driver_says_how_plain_receivers_are_called(signal: Signal) -> None:
    seen: list[Any] = []
    plain, _ = both(signal, seen)
    driven: list[Any] = []

    async def drive(receiver: Callable[..., Any], sender: Any, **data: Any) -> Any:
        driven.append(receiver)
        return receiver(sender, **data)

    await send_async(signal, APP, _call=drive, x=1)
    assert driven == [plain]
    assert len(seen) == 2


@pytest.mark.anyio
async def test_wrappers_given_as_blinker_documents_are_used(signal: Signal) -> None:
    both(signal, [])

    def sync(f: Callable[..., Any]) -> Callable[..., Any]:
        async def run(*args: Any, **kwargs: Any) -> Any:
            return "wrapped"

        return run

    results = [value for _, value in await signal.send_async(APP, _sync_wrapper=sync)]
    assert sorted(results) == ["awaited", "wrapped"]
    results = [
        value for _, value in signal.send(APP, _async_wrapper=lambda f: lambda *a, **k: "wrapped")
    ]
    assert sorted(results) == ["plain", "wrapped"]


@pytest.mark.anyio
async def test_a_plain_function_that_returns_an_awaitable_is_awaited(signal: Signal) -> None:
    seen: list[int] = []

    async def work() -> None:
        seen.append(1)

    def receiver(sender: Any) -> Any:
        return work()

    signal.connect(receiver)
    await send_async(signal, APP)
    send(signal, APP)
    assert seen == [1, 1]


def test_receivers_may_be_for_one_sender(signal: Signal) -> None:
    other = App()
    seen: list[Any] = []
    receive = seen.append
    signal.connect(receive, sender=APP)
    send(signal, other)
    send(signal, APP)
    assert seen == [APP]
    assert list(signal.receivers_for(other)) == []


def test_the_rest_of_blinker_works(signal: Signal) -> None:
    seen: list[Any] = []

    def receiver(sender: Any) -> None:
        seen.append(sender)

    with signal.connected_to(receiver, APP):
        assert signal.has_receivers_for(APP)
        with signal.muted():
            send(signal, APP)
            assert signal.send(APP) == []
        assert seen == []
        send(signal, APP)
    send(signal, APP)
    assert seen == [APP]

    @signal.connect_via(APP)
    def via(sender: Any) -> None:
        seen.append("via")

    send(signal, APP)
    assert seen == [APP, "via"]
    signal.disconnect(via)
    assert not signal.receivers


@pytest.mark.anyio
async def test_a_muted_signal_is_not_sent_async(signal: Signal) -> None:
    seen: list[Any] = []
    both(signal, seen)
    with signal.muted():
        await send_async(signal, APP)
    assert seen == []


def test_a_receiver_that_nothing_refers_to_is_forgotten(signal: Signal) -> None:
    def make() -> None:
        def receiver(sender: Any) -> None:
            raise AssertionError

        signal.connect(receiver)

    make()
    gc.collect()
    send(signal, APP)


def test_an_error_of_a_receiver_comes_through(signal: Signal) -> None:
    async def receiver(sender: Any) -> None:
        raise KeyError("receiver")

    signal.connect(receiver)
    with pytest.raises(KeyError, match="receiver"):
        send(signal, APP)


def test_a_namespace_keeps_its_signals() -> None:
    namespace = Namespace()
    a = namespace.signal("a", "About a.")
    assert namespace.signal("a") is a
    assert namespace.signal("b") is not a
    assert a.__doc__ == "About a."
    assert "'a'" in repr(a)
    assert isinstance(a, blinker.NamedSignal)


def test_connecting_is_noticed_once_and_for_all() -> None:
    listening = Listening()
    namespace = Namespace()
    watched = namespace.signal("watched", listening=listening)
    namespace.signal("other").connect(len, weak=False)
    assert not listening.used
    with watched.connected_to(len):
        assert listening.used
    assert listening.used


def test_nobody_listens_to_requests_in_a_fresh_program() -> None:
    code = """
import kolben.signals as signals
assert signals.request_path.used is False
signals.message_flashed.connect(print)
assert signals.request_path.used is False
signals.request_started.connect(print)
assert signals.request_path.used is True
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=50)


@pytest.mark.parametrize(
    "name",
    [
        "appcontext_pushed", "appcontext_popped", "appcontext_tearing_down", "request_started",
        "request_finished", "request_tearing_down", "got_request_exception",
    ],
)  # fmt: skip
def test_signals_of_the_request_path_are_watched(name: str) -> None:
    assert getattr(signals, name)._listening is signals.request_path
