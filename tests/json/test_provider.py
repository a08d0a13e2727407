from __future__ import annotations

import io
import json
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import flask.json.provider
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from kolben.json import DefaultJSONProvider, JSONProvider
from kolben.json import provider as provider_module
from kolben.json.provider import jsonable, parse


class Answer:
    def __init__(self, body: Any, mimetype: str) -> None:
        self.body = body
        self.mimetype = mimetype


class App:
    debug = False
    response_class = Answer


APP = App()


@pytest.fixture
def provider() -> DefaultJSONProvider:
    return DefaultJSONProvider(APP)


@dataclass
class Point:
    x: int
    y: Decimal


class Html:
    def __html__(self) -> str:
        return "<b>hi</b>"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


# What is written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(1994, 11, 6, 8, 49, 37), '"Sun, 06 Nov 1994 08:49:37 GMT"'),
        (datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), '"Sun, 06 Nov 1994 08:49:37 GMT"'),
        (
            datetime(1994, 11, 6, 9, 49, 37, tzinfo=timezone(timedelta(hours=1))),
            '"Sun, 06 Nov 1994 08:49:37 GMT"',
        ),
        (date(1994, 11, 6), '"Sun, 06 Nov 1994 00:00:00 GMT"'),
        (Decimal("1.10"), '"1.10"'),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Point(1, Decimal("2.5")), '{"x": 1, "y": "2.5"}'),
        (Html(), '"<b>hi</b>"'),
        (Markup("<i>"), '"<i>"'),
        ([date(2000, 1, 1)], '["Sat, 01 Jan 2000 00:00:00 GMT"]'),
    ],
)
def test_extra_types_are_written_as_flask_writes_them(
    provider: DefaultJSONProvider, value: Any, text: str
) -> None:
    assert provider.dumps(value) == text
    theirs = flask.json.provider.DefaultJSONProvider(APP)  # type: ignore[arg-type]
    assert theirs.dumps(value) == text


def test_an_unknown_type_is_named(provider: DefaultJSONProvider) -> None:
    with pytest.raises(TypeError, match="Object of type Answer is not JSON serializable"):
        provider.dumps({"a": Answer("", "")})


def test_a_dataclass_itself_is_no_value() -> None:
    with pytest.raises(TypeError, match="type"):
        jsonable(Point)


@given(json_values)
def test_text_equals_flasks(value: Any) -> None:
    ours, theirs = (
        DefaultJSONProvider(APP),
        flask.json.provider.DefaultJSONProvider(APP),  # type: ignore[arg-type]
    )
    assert ours.dumps(value) == theirs.dumps(value)
    assert ours.dumps(value, indent=2) == theirs.dumps(value, indent=2)
    assert ours.response(value).body.decode() == theirs.response(value).body  # type: ignore[attr-defined]


@given(json_values)
def test_what_is_written_is_read_back(value: Any) -> None:
    provider = DefaultJSONProvider(APP)
    provider.sort_keys = False
    provider.ensure_ascii = False
    if "\ud800" <= max(provider.dumps(value), default="") <= "\udfff":
        return
    assert provider.loads(provider.dumps(value)) == value
    assert provider.loads(provider.response_body(value)) == value


def test_options_may_change_at_any_time(provider: DefaultJSONProvider) -> None:
    value = {"b": "ü", "a": 1}
    assert provider.dumps(value) == '{"a": 1, "b": "\\u00fc"}'
    provider.sort_keys = False
    assert provider.dumps(value) == '{"b": "\\u00fc", "a": 1}'
    provider.ensure_ascii = False
    assert provider.dumps(value) == '{"b": "ü", "a": 1}'
    assert provider.response_body(value) == '{"b":"ü","a":1}\n'.encode()
    provider.default = lambda o: "?"
    assert provider.dumps([object()]) == '["?"]'


def test_options_of_a_subclass_hold() -> None:
    class Mine(DefaultJSONProvider):
        sort_keys = False
        ensure_ascii = False
        mimetype = "application/vnd.api+json"

        def default(self, o: Any) -> Any:
            if isinstance(o, complex):
                return [o.real, o.imag]
            return super().default(o)

    mine = Mine(APP)
    assert (
        mine.dumps({"b": 1j, "a": "ü", "c": Decimal(1)}) == '{"b": [0.0, 1.0], "a": "ü", "c": "1"}'
    )
    assert mine.response(1).mimetype == "application/vnd.api+json"


def test_arguments_of_json_dumps_are_passed_on(provider: DefaultJSONProvider) -> None:
    assert provider.dumps({"b": 1, "a": [1]}, indent=1) == '{\n "a": [\n  1\n ],\n "b": 1\n}'
    assert provider.dumps({"b": 1, "a": 1}, sort_keys=False) == '{"b": 1, "a": 1}'
    assert provider.dumps({1j: 1, "a": 1}, skipkeys=True, sort_keys=False) == '{"a": 1}'
    assert provider.dumps([1, 2], separators=(";", "=")) == "[1;2]"
    assert provider.dumps([float("nan")], allow_nan=True) == "[NaN]"
    assert provider.dumps([object()], default=lambda o: 7) == "[7]"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("kwargs", [{}, {"indent": 2}, {"separators": (",", ":")}])
def test_not_a_number_is_not_written(
    provider: DefaultJSONProvider, number: float, kwargs: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        provider.dumps({"a": [number]}, **kwargs)


def test_a_circle_is_an_error_and_leaves_nothing_behind(provider: DefaultJSONProvider) -> None:
    circle: list[Any] = []
    circle.append(circle)
    for kwargs in ({}, {"separators": (",", ":")}):
        with pytest.raises(ValueError, match="contains itself"):
            provider.dumps(circle, **kwargs)
    with pytest.raises(ValueError, match="contains itself"):
        provider.response_body(circle)
    with pytest.raises(ValueError, match=r"Circular|contains itself"):
        provider.dumps(circle, indent=2)
    circle[0] = 1
    assert provider.dumps(circle) == "[1]"


def test_endless_nesting_is_an_error(provider: DefaultJSONProvider) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested"):
        provider.dumps(deep)
    with pytest.raises(ValueError, match="nested"):
        provider.dumps(deep, indent=2)
    while deep:  # taken apart step by step: freeing it at once recurses, too
        deep = deep.pop()


def test_one_object_may_be_written_by_many_threads_at_once(provider: DefaultJSONProvider) -> None:
    class Slow:
        pass

    waiting = threading.Barrier(4)

    def default(o: Any) -> Any:
        waiting.wait(10)
        return "slow"

    provider.default = default
    shared = {"a": [Slow()]}
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(provider.dumps(shared))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ['{"a": ["slow"]}'] * 4


def test_it_works_without_the_c_accelerator(
    provider: DefaultJSONProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "_make_encoder", None)
    assert provider.dumps({"b": Decimal(1), "a": "ü"}) == '{"a": "\\u00fc", "b": "1"}'
    provider.sort_keys = False
    assert provider.response_body({"b": 1, "a": 1}) == b'{"b":1,"a":1}\n'
    with pytest.raises(ValueError, match="Out of range"):
        provider.dumps(float("nan"))


# What is read


@pytest.mark.parametrize(
    "text",
    ["1", " 1", "1\n", "\t1 \r\n", '{"a": [1, 2.5, null, true, "x"]}', '"a"', "[]", "-0.0", "1e30"],
)
def test_json_is_read_from_text_and_from_bytes(provider: DefaultJSONProvider, text: str) -> None:
    expected = json.loads(text)
    assert provider.loads(text) == expected
    assert provider.loads(text.encode()) == expected
    assert provider.loads(bytearray(text.encode())) == expected  # type: ignore[arg-type]
    assert provider.loads(text, parse_int=int) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\n", "{", "[1,]", '{"a":1,}', "{a:1}", "'a'", "1 2", "[] x", "nul", "01", "+1",
        ".5", "1.", "--1", '"\x01"', '"\\x"', "[1", "undefined", "\ufeff1", "\x0b1", "1\x0c", "1\xa0",
    ],
)  # fmt: skip
def test_broken_json_is_a_decode_error(provider: DefaultJSONProvider, text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        provider.loads(text)
    with pytest.raises(json.JSONDecodeError):
        provider.loads(text, parse_int=int)
    if text != "\ufeff1":
        with pytest.raises(json.JSONDecodeError):
            provider.loads(text.encode())


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "[NaN]", ' {"a": -Infinity}', "1e999", "[-1e400]"]
)
def test_what_is_not_finite_is_refused(provider: DefaultJSONProvider, text: str) -> None:
    with pytest.raises(ValueError, match=r"not JSON|out of range"):
        provider.loads(text)
    with pytest.raises(ValueError, match=r"not JSON|out of range"):
        provider.loads(text.encode(), object_hook=dict)


def test_arguments_of_json_loads_are_passed_on(provider: DefaultJSONProvider) -> None:
    assert provider.loads("[1.5]", parse_float=Decimal) == [Decimal("1.5")]
    assert provider.loads("[NaN]", parse_constant=str) == ["NaN"]
    assert provider.loads('{"a": 1}', object_pairs_hook=list) == [("a", 1)]

    class Decoder(json.JSONDecoder):
        pass

    assert provider.loads("[NaN, 1]", cls=Decoder)[1] == 1


def test_utf_8_is_read_with_and_without_byte_order_mark(provider: DefaultJSONProvider) -> None:
    for raw in ('"ü€😀"'.encode(), b"\xef\xbb\xbf" + '"ü€😀"'.encode()):
        assert provider.loads(raw) == "ü€😀"
        assert provider.loads(raw, parse_int=int) == "ü€😀"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_another_encoding_is_refused(provider: DefaultJSONProvider, encoding: str) -> None:
    with pytest.raises(ValueError):
        provider.loads('{"a": "ü"}'.encode(encoding))


def test_nothing_but_text_and_bytes_is_read(provider: DefaultJSONProvider) -> None:
    with pytest.raises(TypeError, match="not NoneType"):
        provider.loads(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, " " + "[" * 200_000])
def test_depth_is_a_value_error(provider: DefaultJSONProvider, text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        provider.loads(text)
    with pytest.raises(ValueError, match="nested too deeply"):
        provider.loads(text, parse_int=int)


def test_an_endless_integer_is_a_value_error(provider: DefaultJSONProvider) -> None:
    with pytest.raises(ValueError, match="integer"):
        provider.loads("1" * 10_000)


@given(json_values)
def test_reading_equals_the_standard_library(value: Any) -> None:
    text = json.dumps(value)
    assert parse(text) == json.loads(text)
    assert parse(f" {text}\n".encode()) == value


@given(st.text(alphabet=' \t\n[]{}:,"\\u0123456789.eE+-NaInfityrulsd'))
def test_garbage_is_judged_like_the_standard_library(text: str) -> None:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        expected: Any = json.loads(text, parse_constant=refuse)
    except ValueError:
        expected = ValueError
    try:
        found = parse(text)
    except ValueError:
        found = ValueError
    if found is ValueError and expected is not ValueError:
        assert "inf" in repr(expected)
    else:
        assert found == expected


# Files


def test_files(provider: DefaultJSONProvider) -> None:
    file = io.StringIO()
    provider.dump({"a": 1}, file)
    file.seek(0)
    assert provider.load(file) == {"a": 1}
    assert provider.load(io.BytesIO(b'{"a": 1}')) == {"a": 1}


# Responses


def test_a_response_is_compact_unless_debugging(provider: DefaultJSONProvider) -> None:
    answer = provider.response({"b": [1, 2], "a": 1})
    assert answer.body == b'{"a":1,"b":[1,2]}\n'
    assert answer.mimetype == "application/json"
    debugged = type("Debugged", (App,), {"debug": True})()
    indented = b'{\n  "a": 1\n}\n'
    assert DefaultJSONProvider(debugged).response(a=1).body == indented


@pytest.mark.parametrize("debug", [True, False])
def test_compact_wins_over_debug(debug: bool) -> None:
    app = type("AppX", (App,), {"debug": debug})()
    provider = DefaultJSONProvider(app)
    provider.compact = True
    assert provider.response(a=1).body == b'{"a":1}\n'
    provider.compact = False
    assert provider.response(a=1).body == b'{\n  "a": 1\n}\n'


def test_a_response_takes_what_jsonify_takes(provider: DefaultJSONProvider) -> None:
    assert provider.response().body == b"null\n"
    assert provider.response(None).body == b"null\n"
    assert provider.response(0).body == b"0\n"
    assert provider.response([]).body == b"[]\n"
    assert provider.response(1, 2).body == b"[1,2]\n"
    assert provider.response(a=1).body == b'{"a":1}\n'
    with pytest.raises(TypeError, match="not from both"):
        provider.response(1, a=1)


def test_a_replaced_dumps_is_used_for_responses(provider: DefaultJSONProvider) -> None:
    class Mine(DefaultJSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return f"<{super().dumps(obj, **kwargs)}>"

    class Further(Mine):
        pass

    assert Mine(APP).response([1, 2]).body == b"<[1,2]>\n"
    assert Further(APP).response([1, 2]).body == b"<[1,2]>\n"
    provider.dumps = lambda obj, **kwargs: "replaced"  # type: ignore[method-assign]
    assert provider.response([1, 2]).body == b"replaced\n"


def test_a_provider_for_another_library_needs_two_methods() -> None:
    class Mine(JSONProvider):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            return repr(obj)

        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return [s]

    mine = Mine(APP)
    file = io.StringIO()
    mine.dump([1], file)
    assert file.getvalue() == "[1]"
    assert mine.load(io.StringIO("x")) == ["x"]
    answer = mine.response(a=1)
    assert (answer.body, answer.mimetype) == ("{'a': 1}", "application/json")


def test_the_base_class_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match=r"JSONProvider must implement dumps\(\)"):
        JSONProvider(APP).dumps(1)
    with pytest.raises(NotImplementedError, match=r"JSONProvider must implement loads\(\)"):
        JSONProvider(APP).loads("1")


def test_the_application_is_not_kept_alive() -> None:
    app = App()
    provider = DefaultJSONProvider(app)
    assert provider._app.debug is False
    del app
    with pytest.raises(ReferenceError):
        provider._app.debug
