"""Header fields as an ordered multimap."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.exceptions import BadRequestKeyError
from kolben.http.datastructures import Headers, MultiDict

names = st.sampled_from(["X-A", "x-a", "X-B", "Content-Type"])
values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=5)
fields = st.lists(st.tuples(names, values), max_size=12)


@given(fields)
def test_fields_keep_their_order_and_spelling(items: list[tuple[str, str]]) -> None:
    headers = Headers(items)
    assert list(headers) == items == list(headers.items()) == headers.to_wsgi_list()
    assert list(headers.keys()) == [name for name, _ in items]
    assert list(headers.keys(lower=True)) == [name.lower() for name, _ in items]
    assert list(headers.values()) == [value for _, value in items]
    assert len(headers) == len(items)
    for name, _ in items:
        expected = [value for each, value in items if each.lower() == name.lower()]
        assert headers.getlist(name) == headers.get_all(name.upper()) == expected
        assert headers[name] == headers.get(name.swapcase()) == expected[0]
        assert headers.combined(name) == ", ".join(expected)


@given(fields)
def test_a_request_gives_the_same_answers_decoded_and_raw(items: list[tuple[str, str]]) -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in items]
    lazy, decoded = Headers.from_asgi(raw), Headers.from_asgi(tuple(raw))
    list(decoded)
    for name in ("x-a", "X-B", "content-type", "missing", "näme"):
        assert lazy.get(name) == decoded.get(name)
        assert lazy.getlist(name) == decoded.getlist(name)
        assert (name in lazy) == (name in decoded)
    assert len(lazy) == len(decoded)
    assert lazy.to_asgi() == raw
    assert lazy == decoded
    assert decoded.to_asgi() == raw


@given(fields, names, values)
def test_setting_leaves_one_field_at_the_first_place(
    items: list[tuple[str, str]], name: str, value: str
) -> None:
    headers = Headers(items)
    headers[name] = value
    places = [index for index, (each, _) in enumerate(items) if each.lower() == name.lower()]
    expected = [pair for pair in items if pair[0].lower() != name.lower()]
    expected.insert(places[0] if places else len(expected), (name, value))
    assert list(headers) == expected
    headers.remove(name.upper())
    assert list(headers) == [pair for pair in items if pair[0].lower() != name.lower()]


def test_a_missing_field_is_a_key_error_and_a_bad_request() -> None:
    for headers in (Headers(), Headers.from_asgi([])):
        with pytest.raises(KeyError) as caught:
            headers["X-Missing"]
        assert isinstance(caught.value, BadRequestKeyError)
        assert headers.get("X-Missing", "default") == "default"
        assert headers.combined("X-Missing") is None
        with pytest.raises(KeyError):
            headers.pop("X-Missing")
        assert headers.pop("X-Missing", None) is None
        headers.remove("X-Missing")


def test_parameters_are_added_to_the_value() -> None:
    headers = Headers()
    headers.add("Content-Disposition", "attachment", filename="a b.txt", max_size=None)
    headers.add_header("X-Flag", "a", is_ok=1)
    headers.set("X-Flag", "b", is_ok=2)
    assert headers["content-disposition"] == 'attachment; filename="a b.txt"'
    assert headers["x-flag"] == "b; is-ok=2"


@pytest.mark.parametrize(
    ("given_value", "value"), [(5, "5"), (b"\xe4", "ä"), (None, "None"), (True, "True")]
)
def test_values_become_text(given_value: Any, value: str) -> None:
    assert Headers([("X-A", given_value)])["x-a"] == value


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\0", b"a\nb"])
@pytest.mark.parametrize(
    "write",
    [
        lambda h, v: h.add("X-Bad", v),
        lambda h, v: h.set("X-Bad", v),
        lambda h, v: h.setdefault("X-Bad", v),
        lambda h, v: h.setlist("X-Bad", [v]),
        lambda h, v: h.setlistdefault("X-Bad", [v]),
        lambda h, v: h.extend({"X-Bad": v}),
        lambda h, v: h.extend(**{"X-Bad": v}),
        lambda h, v: h.update({"X-Bad": v}),
        lambda h, v: h.__setitem__("X-Bad", v),
        lambda h, v: h.__setitem__(0, ("X-Bad", v)),
        lambda h, v: h.__setitem__(slice(0, 1), [("X-Bad", v)]),
        lambda h, v: h.__ior__({"X-Bad": v}),
        lambda h, v: h.add("X-Bad", "v", option=v if isinstance(v, str) else v.decode()),
        lambda h, v: Headers([("X-Bad", v)]),
    ],
)
def test_no_way_of_writing_lets_a_line_break_through(write: Any, value: Any) -> None:
    headers = Headers([("X-Good", "1")])
    with pytest.raises(ValueError, match="'X-Bad'"):
        write(headers, value)
    assert list(headers) == [("X-Good", "1")]


@pytest.mark.parametrize("name", ["", "X Bad", "X:Bad", "X-Bad\n", "Ü"])
def test_a_name_must_be_a_token(name: str) -> None:
    with pytest.raises(ValueError, match="not a valid header name"):
        Headers().add(name, "v")


def test_values_are_converted() -> None:
    headers = Headers([("N", "5"), ("N", "x"), ("N", "7")])
    assert headers.get("n", type=int) == 5
    assert headers.get("missing", 3, type=int) == 3
    assert headers.getlist("n", type=int) == [5, 7]
    headers["N"] = "x"
    assert headers.get("n", type=int) is None
    assert headers.get("n", 3, type=int) == 3


def test_indexes_and_slices() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("C", "3")])
    assert headers[1] == ("B", "2")
    assert headers[-1] == ("C", "3")
    assert headers[:2] == Headers([("A", "1"), ("B", "2")])
    headers[0] = ("Z", 0)
    headers[1:] = [("Y", 1)]
    assert list(headers) == [("Z", "0"), ("Y", "1")]
    del headers[0]
    del headers["y"]
    assert not headers
    headers.extend(A="1", B="2", C="3")
    del headers[:1]
    assert headers.pop(0) == ("B", "2")
    assert headers.popitem() == ("C", "3")
    headers.add("D", "4")
    assert headers.pop() == ("D", "4")


def test_pop_takes_every_field_of_a_name() -> None:
    headers = Headers([("a", "1"), ("B", "2"), ("A", "3")])
    assert headers.pop("A") == "1"
    assert list(headers) == [("B", "2")]
    headers.clear()
    assert len(headers) == 0


@pytest.mark.parametrize(
    "source",
    [
        [("X-A", "1"), ("X-A", "2")],
        {"X-A": ["1", "2"]},
        {"X-A": ("1", "2")},
        MultiDict([("X-A", "1"), ("X-A", "2")]),
        Headers([("X-A", "1"), ("X-A", "2")]),
    ],
    ids=lambda source: type(source).__name__,
)
def test_every_kind_of_source_is_taken(source: Any) -> None:
    assert Headers(source).getlist("x-a") == ["1", "2"]
    headers = Headers([("X-A", "0"), ("X-B", "b")])
    headers.extend(source)
    assert headers.getlist("x-a") == ["0", "1", "2"]
    headers.update(source)
    # Pairs follow each other, so that the last one stays; everything else gives its lists.
    assert headers.getlist("x-a") == (["2"] if isinstance(source, list) else ["1", "2"])
    assert headers["x-b"] == "b"


def test_update_replaces_and_operators_do_the_same() -> None:
    headers = Headers([("A", "1"), ("B", "2")])
    joined = headers | {"a": ["3", "4"], "C": "5"}
    assert list(joined) == [("a", "3"), ("B", "2"), ("a", "4"), ("C", "5")]
    assert list(headers) == [("A", "1"), ("B", "2")]
    headers |= [("A", "9")]
    headers.update(B=["7", "8"], D="0")
    assert headers["a"] == "9"
    assert headers.getlist("b") == ["7", "8"]
    assert headers | Headers({"E": "1"}) == Headers([*headers, ("E", "1")])
    with pytest.raises(TypeError):
        headers | [("A", "1")]  # type: ignore[operator]
    with pytest.raises(TypeError):
        headers |= 5  # type: ignore[operator]


def test_lists_are_set_and_defaulted() -> None:
    headers = Headers([("A", "1")])
    assert headers.setdefault("a", "2") == "1"
    assert headers.setdefault("B", 2) == "2"
    assert headers.setlistdefault("a", ["3"]) == ["1"]
    assert headers.setlistdefault("C", ["3", "4"]) == ["3", "4"]
    headers.setlist("A", [])
    headers.setlist("c", iter("56"))
    assert list(headers) == [("B", "2"), ("c", "5"), ("c", "6")]


def test_equality_ignores_case_of_names_and_order() -> None:
    assert Headers([("A", "1"), ("B", "2")]) == Headers([("b", "2"), ("a", "1")])
    assert Headers([("A", "1")]) != Headers([("A", "2")])
    assert Headers([("A", "1")]) != [("A", "1")]
    with pytest.raises(TypeError):
        hash(Headers())


def test_copies_are_independent() -> None:
    headers = Headers([("A", "1")])
    for copied in (
        headers.copy(),
        copy.copy(headers),
        copy.deepcopy(headers),
        pickle.loads(pickle.dumps(headers)),
    ):
        copied.add("B", "2")
        assert list(copied) == [("A", "1"), ("B", "2")]
    assert list(headers) == [("A", "1")]


def test_the_servers_list_is_never_changed() -> None:
    raw = [(b"x-a", b"1"), (b"content-type", b"text/plain")]
    headers = Headers.from_asgi(raw)
    headers["X-A"] = "2"
    headers.add("X-B", "3")
    assert raw == [(b"x-a", b"1"), (b"content-type", b"text/plain")]
    # Names look as under WSGI, where applications have learnt to expect them.
    assert dict(headers) == {"X-A": "2", "Content-Type": "text/plain", "X-B": "3"}
    out = Headers.from_asgi(raw).to_asgi()
    out.clear()
    assert len(raw) == 2


def test_bytes_are_written_lower_case_without_space_around_the_value() -> None:
    headers = Headers([("X-A", " é\t"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    assert headers.to_asgi() == [
        (b"x-a", b"\xe9"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]


def test_a_value_beyond_latin1_is_refused_by_name_when_sent() -> None:
    headers = Headers([("X-Ok", "é"), ("X-Snow", "☃")])
    with pytest.raises(ValueError, match="'X-Snow'"):
        headers.to_asgi()


def test_text_and_representation() -> None:
    headers = Headers([("A", "1"), ("B", "2")])
    assert str(headers) == "A: 1\r\nB: 2\r\n\r\n"
    assert repr(headers) == "Headers([('A', '1'), ('B', '2')])"
    assert str(Headers()) == "\r\n"


def test_only_names_are_in_the_headers() -> None:
    headers = Headers([("A", "1")])
    assert "a" in headers
    assert 5 not in headers
    assert not hasattr(headers, "missing")
