"""Query strings, IRIs, and redirects that stay at home."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.datastructures import ImmutableMultiDict, MultiDict
from kolben.http.urls import (
    TooManyPairs,
    build_query,
    encode_location,
    iri_to_uri,
    is_safe_redirect,
    parse_query,
    query_args,
    quote_path,
    uri_to_iri,
)

LARGE = 1 << 18
unicode_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(unicode_text, unicode_text), max_size=50))
def test_a_query_survives_writing_and_reading(pairs: list[tuple[str, str]]) -> None:
    query = build_query(pairs)
    assert query.isascii()
    assert parse_query(query) == pairs
    assert parse_query(query.encode()) == pairs
    assert list(query_args(query).items(multi=True)) == list(MultiDict(pairs).items(multi=True))


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", []),
        ("&&", []),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=a", [("", "a")]),
        ("a=b=c", [("a", "b=c")]),
        ("a+b=c+d", [("a b", "c d")]),
        ("a%2Bb=%26%3D", [("a+b", "&=")]),
        ("a=%C3%A4", [("a", "ä")]),
        ("a=ä", [("a", "ä")]),
        ("a=%DF%C3%A4", [("a", "%DFä")]),
        ("a=%&b=%4&c=%zz", [("a", "%"), ("b", "%4"), ("c", "%zz")]),
        ("a=%00", [("a", "\0")]),
        ("a=%252F", [("a", "%2F")]),
        ("a;b=1", [("a;b", "1")]),
    ],
)
def test_queries_are_read_as_browsers_write_them(query: str, pairs: list[tuple[str, str]]) -> None:
    assert parse_query(query) == pairs
    assert parse_query(query.encode()) == pairs


def test_bytes_that_are_not_utf8_stay_encoded() -> None:
    assert parse_query(b"a=\xff\xe4") == [("a", "%FF%E4")]
    assert query_args(b"\xff=1").to_dict() == {"%FF": "1"}


@given(st.binary() | st.text(), st.integers(0, 50) | st.none())
def test_both_ways_of_reading_agree(query: bytes | str, limit: int | None) -> None:
    try:
        pairs = parse_query(query, limit)
    except TooManyPairs:
        with pytest.raises(TooManyPairs):
            query_args(query, limit)
        return
    assert query_args(query, limit) == ImmutableMultiDict(pairs)


def test_only_so_many_pairs_are_read() -> None:
    assert len(parse_query("&".join(["a=1"] * 1000))) == 1000
    for query in ("&".join(["a=1"] * 1001), "&" * LARGE, b"a&" * 1001):
        with pytest.raises(TooManyPairs, match="More than 1000") as caught:
            query_args(query)
        assert caught.value.limit == 1000
    assert len(parse_query("&".join(["a=1"] * 5000), None)) == 5000
    assert len(parse_query("a&b&c", 3)) == 3


@pytest.mark.parametrize(
    "hostile", ["%" * LARGE, "a=" * LARGE, "+" * LARGE, "%ff" * LARGE], ids=range(4)
)
def test_a_lot_of_hostile_input_is_read_once(hostile: str) -> None:
    assert len(parse_query(hostile)) == 1


def test_arguments_are_of_the_class_asked_for() -> None:
    args = query_args(b"limit=10&x=a", cls=MultiDict)
    assert type(args) is MultiDict
    assert args.get("limit", 20, type=int) == 10
    assert args.get("x", 20, type=int) == 20
    args["new"] = "1"
    with pytest.raises(TypeError, match="immutable"):
        query_args(b"a=1")["a"] = "2"


def test_queries_are_written_from_every_kind_of_mapping() -> None:
    assert build_query({"a": 1, "b": [2, None, "c d"], "n": None}) == "a=1&b=2&b=c+d"
    assert build_query(MultiDict([("a", "1"), ("a", "2")])) == "a=1&a=2"
    assert build_query([("ä", b"\xff")]) == "%C3%A4=%FF"
    assert build_query({}) == ""


@pytest.mark.parametrize(
    ("iri", "uri"),
    [
        ("http://☃.net/", "http://xn--n3h.net/"),
        ("http://☃.net/påth?q=èry%DF", "http://xn--n3h.net/p%C3%A5th?q=%C3%A8ry%DF"),
        ("http://üser:pässword@☃.net/påth", "http://%C3%BCser:p%C3%A4ssword@xn--n3h.net/p%C3%A5th"),
        ("/foo%20bar?a=%26", "/foo%20bar?a=%26"),
        ("//example.com:80/a?b#ç", "//example.com:80/a?b#%C3%A7"),
        ("http://[::1]:8000/", "http://[::1]:8000/"),
        ("mailto:a@b", "mailto:a@b"),
        ("itms-services://?action=x", "itms-services://?action=x"),
        ("http://user:@h/", "http://user:@h/"),
        ("http://h:0/", "http://h:0/"),
        ("", ""),
    ],
)
def test_iris_and_uris_are_converted_both_ways(iri: str, uri: str) -> None:
    assert iri_to_uri(iri) == uri
    assert iri_to_uri(uri) == uri
    assert uri_to_iri(uri) == iri


@pytest.mark.parametrize(
    ("uri", "iri"),
    [
        ("/%2F%3F%23%25%20%0A", "/%2F%3F%23%25%20%0A"),
        ("?a=%26%3D%2B%23%C3%A4", "?a=%26%3D%2B%23ä"),
        ("/%C3%28%DF", "/%C3(%DF"),
        ("http://xn--a-\x80.example/", "http://xn--a-\x80.example/"),
        ("http://xn--.example/", "http://xn--.example/"),
    ],
)
def test_what_would_change_the_meaning_stays_encoded(uri: str, iri: str) -> None:
    assert uri_to_iri(uri) == iri


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/",
        "http://[::1]x/",
        "http://h:port/",
        "http://h:99999/",
        f"http://{'é' * 64}/",
        "http://℀.example/",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        iri_to_uri(url)


@given(unicode_text)
def test_encoding_twice_changes_nothing(text: str) -> None:
    try:
        once = iri_to_uri(text)
    except ValueError:
        return
    assert once.isascii()
    assert iri_to_uri(once) == once


def test_a_path_is_encoded_once() -> None:
    assert quote_path("/a b/%2F?é") == "/a%20b/%2F%3F%C3%A9"


@pytest.mark.parametrize(
    "target",
    ["/", "/a?b=//c#d", "a/b", "?next=1", "#top", "/%2F%2Fevil.example", "/é", "/a:b", "./a:b"],
)
def test_a_path_on_this_host_is_safe(target: str) -> None:
    assert is_safe_redirect(target)
    assert is_safe_redirect(target, "good.example")


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "//evil.example",
        "///evil.example",
        "////evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://evil.example",
        "HTTPS://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\t/evil.example",
        "/\n/evil.example",
        "\x01//evil.example",
        " //evil.example",
        "\x0b/evil.example",
        "/\x85/evil.example",
        "https://good.example@evil.example",
        "https://good.example\\@evil.example",
        "https://good.example.evil.example",
        "https://good.example:8443/",
        "ftp://good.example/",
        "//good.example/",
    ],
)
def test_anything_that_could_leave_this_host_is_refused(target: str | None) -> None:
    assert not is_safe_redirect(target)
    assert not is_safe_redirect(target, "good.example")


@pytest.mark.parametrize(
    "target", ["https://good.example", "http://GOOD.example/a", "https://good.example?x"]
)
def test_an_absolute_url_of_this_host_is_safe_where_the_host_is_known(target: str) -> None:
    assert is_safe_redirect(target, "good.example")
    assert not is_safe_redirect(target)


@given(st.text("/\\:@.?#% \t\nhtps%2Fevil"))
def test_what_is_safe_never_has_a_host(target: str) -> None:
    if is_safe_redirect(target):
        assert urlsplit(target).netloc == ""
        assert not target.replace("\\", "/").startswith("//")


@pytest.mark.parametrize(
    ("location", "encoded"),
    [
        ("/relative?a=b c#d", "/relative?a=b%20c#d"),
        ("relative", "relative"),
        ("/\\evil.example", "/%5Cevil.example"),
        ("/\r\nSet-Cookie: a=b", "/%0D%0ASet-Cookie:%20a=b"),
        ("\t//evil.example", "%09//evil.example"),
        ("////evil.example", "////evil.example"),
        ("http://☃.net/", "http://xn--n3h.net/"),
        ("/straße%20x", "/stra%C3%9Fe%20x"),
    ],
)
def test_a_location_is_fit_for_its_header(location: str, encoded: str) -> None:
    assert encode_location(location) == encoded


@given(unicode_text)
def test_a_location_is_always_plain_ascii(location: str) -> None:
    try:
        encoded = encode_location(location)
    except ValueError:
        return
    assert encoded.isascii()
    assert encoded.isprintable()
    assert " " not in encoded
    assert "\\" not in encoded
