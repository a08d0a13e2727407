"""Cookies: what is read, what is written, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.cookies import MAX_COOKIES, dump_cookie, parse_cookie
from kolben.http.datastructures import ImmutableMultiDict
from kolben.http.dates import parse_date

LARGE = 1 << 18


@given(st.text())
def test_every_value_comes_back(value: str) -> None:
    pair = dump_cookie("key", value, path=None, max_size=0)
    assert pair.isascii()
    assert parse_cookie(pair).to_dict() == {"key": value}
    assert parse_cookie(pair.encode())["key"] == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("simple-value_1", "k=simple-value_1"),
        ("", "k="),
        ("a b", 'k="a b"'),
        ('"', 'k="\\""'),
        ("\\", 'k="\\\\"'),
        ("a;b,c", 'k="a\\073b\\054c"'),
        ("ä", 'k="\\303\\244"'),
        ("\r\n", 'k="\\015\\012"'),
        ("{a:[1]}=(2)", "k={a:[1]}=(2)"),
    ],
)
def test_values_are_written_as_werkzeug_does(value: str, written: str) -> None:
    assert dump_cookie("k", value, path=None) == written


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("a=1; b=2", {"a": ["1"], "b": ["2"]}),
        ("a=1;b=2;a=3", {"a": ["1", "3"], "b": ["2"]}),
        (" a = 1 ;", {"a": ["1"]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("a", {"a": [""]}),
        ("a=", {"a": [""]}),
        ('a=""', {"a": [""]}),
        ('a="b c"', {"a": ["b c"]}),
        ('a="\\"\\\\"', {"a": ['"\\']}),
        ('a="\\303\\244"', {"a": ["ä"]}),
        ('a="\\377"', {"a": ["�"]}),
        ('a="\\400"', {"a": ["400"]}),
        ('p={"x":1}', {"p": ['{"x":1}']}),
        ('a="', {"a": ['"']}),
        ("=value; ==x; a=1", {"a": ["1"]}),
        ('"q"=1; b c=2; d=3', {"d": ["3"]}),
        ("", {}),
        (";;;", {}),
        (None, {}),
    ],
)
def test_cookies_are_read(header: str | None, cookies: dict[str, list[str]]) -> None:
    assert parse_cookie(header).to_dict(flat=False) == cookies


def test_a_cookie_without_a_name_cannot_pose_as_another() -> None:
    # CVE-2023-23934: "=__Host-id=bad" is a nameless cookie, not one named "__Host-id".
    assert parse_cookie("=__Host-id=bad; __Host-id=good").getlist("__Host-id") == ["good"]


def test_a_quote_does_not_swallow_the_cookies_that_follow() -> None:
    cookies = parse_cookie('a="x; session=secret; b=y"')
    assert cookies["session"] == "secret"


def test_escapes_are_undone_once() -> None:
    assert parse_cookie(r'a="\\134"')["a"] == r"\134"


@pytest.mark.parametrize("text", ["ä", "日本", "☃"])
def test_utf8_is_understood_in_every_disguise(text: str) -> None:
    raw = f"a={text}".encode()
    assert parse_cookie(raw)["a"] == text
    assert parse_cookie(raw.decode("latin-1"))["a"] == text


def test_bytes_that_are_not_utf8_are_replaced() -> None:
    assert parse_cookie(b"a=\xff")["a"] == "�"
    assert parse_cookie("a=\xff")["a"] == "�"
    assert parse_cookie("a=☃\xff")["a"] == "☃\xff"


@given(st.text() | st.binary())
def test_no_header_raises(header: str | bytes) -> None:
    parse_cookie(header)


def test_only_a_thousand_cookies_are_read() -> None:
    cookies = parse_cookie("; ".join(f"c{n}={n}" for n in range(5000)))
    assert len(cookies) == MAX_COOKIES == 1000
    assert cookies["c999"] == "999"


@pytest.mark.parametrize(
    "hostile",
    [
        ";" * LARGE,
        'a="' * LARGE,
        'a="\\' * LARGE,
        'a="' + "\\" * LARGE + '"',
        "a=" + " " * LARGE + "b",
        'a="' + "\\0" * LARGE + '"',
    ],
    ids=range(6),
)
def test_a_lot_of_hostile_input_is_read_once(hostile: str) -> None:
    # Python's own parser took quadratic time for backslashes: CVE-2024-7592.
    assert len(parse_cookie(hostile)) <= MAX_COOKIES


def test_the_class_of_the_result_can_be_chosen() -> None:
    assert type(parse_cookie("a=1", ImmutableMultiDict)) is ImmutableMultiDict


def test_all_attributes_are_written() -> None:
    assert (
        dump_cookie(
            "k",
            "v",
            max_age=360,
            expires=datetime(2013, 1, 1),
            path="/a b;c",
            domain=".example.com:80",
            secure=True,
            httponly=True,
            samesite="lax",
            partitioned=True,
        )
        == "k=v; Domain=example.com; Expires=Tue, 01 Jan 2013 00:00:00 GMT; Max-Age=360; Secure;"
        " HttpOnly; Path=/a%20b%3Bc; SameSite=Lax; Partitioned"
    )


@pytest.mark.parametrize(
    ("expires", "written"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (0.5, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (date(2013, 1, 1), "Tue, 01 Jan 2013 00:00:00 GMT"),
        (datetime(2013, 1, 1, 12), "Tue, 01 Jan 2013 12:00:00 GMT"),
        (datetime(2013, 1, 1, 12, tzinfo=UTC), "Tue, 01 Jan 2013 12:00:00 GMT"),
        ("Tue, 01 Jan 2013 00:00:00 GMT", "Tue, 01 Jan 2013 00:00:00 GMT"),
    ],
)
def test_every_kind_of_expiry_is_written(
    expires: str | date | datetime | float, written: str
) -> None:
    assert dump_cookie("k", expires=expires, path=None) == f"k=; Expires={written}"


def test_an_age_brings_the_expiry_for_old_browsers_unless_told_not_to() -> None:
    header = dump_cookie("k", max_age=timedelta(hours=1), path=None)
    name, expires, age = header.split("; ")
    moment = parse_date(expires.removeprefix("Expires="))
    assert (name, age) == ("k=", "Max-Age=3600")
    assert moment is not None
    assert timedelta(minutes=59) < moment - datetime.now(UTC) <= timedelta(hours=1)
    assert dump_cookie("k", max_age=0, sync_expires=False, path=None) == "k=; Max-Age=0"


def test_partitioned_implies_secure() -> None:
    assert dump_cookie("k", partitioned=True) == "k=; Secure; Path=/; Partitioned"


@pytest.mark.parametrize("samesite", ["Strict", "Lax", "None", "strict", "NONE"])
def test_same_site_is_written_in_its_own_case(samesite: str) -> None:
    assert f"SameSite={samesite.title()}" in dump_cookie("k", samesite=samesite)


def test_another_same_site_is_refused() -> None:
    with pytest.raises(ValueError, match="'Strict', 'Lax' or 'None', not 'sometimes'"):
        dump_cookie("k", samesite="sometimes")


@pytest.mark.parametrize(
    ("name", "arguments", "remedy"),
    [
        ("__Host-id", {}, "pass secure=True"),
        ("__host-id", {}, "pass secure=True"),
        ("__Host-id", {"secure": True, "domain": "example.com"}, "pass domain=None"),
        ("__Host-id", {"secure": True, "path": "/a"}, "pass path='/'"),
        ("__Host-id", {"secure": True, "path": None}, "pass path='/'"),
        ("__Secure-id", {}, "pass secure=True"),
        ("__SECURE-id", {}, "pass secure=True"),
    ],
)
def test_a_prefix_that_browsers_would_refuse_is_refused(
    name: str, arguments: dict[str, str | bool | None], remedy: str
) -> None:
    with pytest.raises(ValueError, match=f"{name}.*") as caught:
        dump_cookie(name, "v", **arguments)  # type: ignore[arg-type]
    assert remedy in str(caught.value)


def test_prefixes_that_keep_the_rules_are_written() -> None:
    assert dump_cookie("__Host-id", secure=True) == "__Host-id=; Secure; Path=/"
    assert dump_cookie("__Host-id", partitioned=True).startswith("__Host-id=; Secure")
    header = dump_cookie("__Secure-id", secure=True, domain="a.example", path="/x")
    assert header == "__Secure-id=; Domain=a.example; Secure; Path=/x"


@pytest.mark.parametrize("name", ["", "a b", "a;b", "a=b", "a\n", "a\0", 'a"', "a,b", "\x7f"])
def test_a_name_that_cannot_be_sent_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a cookie"):
        dump_cookie(name, "v")


@pytest.mark.parametrize(
    "domain", ["a;b", "a b", "a\n.example", "..", "[::1]", "a..b", "/", "é" * 64]
)
def test_a_domain_that_cannot_be_sent_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="is not a domain for the cookie 'k'"):
        dump_cookie("k", domain=domain)


@pytest.mark.parametrize(
    ("domain", "written"),
    [
        ("localhost", "localhost"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
    ],
)
def test_domains_are_written_in_ascii(domain: str, written: str) -> None:
    assert dump_cookie("k", domain=domain, path=None) == f"k=; Domain={written}"


def test_an_expiry_cannot_smuggle_attributes_in() -> None:
    with pytest.raises(ValueError, match="cannot be the Expires"):
        dump_cookie("k", expires="now; Domain=evil.example")


def test_a_value_must_be_text() -> None:
    with pytest.raises(TypeError, match="'k' must be a str, not int: convert it"):
        dump_cookie("k", 5)  # type: ignore[arg-type]


def test_a_name_outside_ascii_comes_back() -> None:
    header = dump_cookie("fo·o", "v", path=None)
    assert parse_cookie(header.encode("latin-1")).to_dict() == {"fo·o": "v"}


def test_a_cookie_over_the_limit_warns() -> None:
    with pytest.warns(UserWarning, match="'k' is 5002 bytes long"):
        dump_cookie("k", "v" * 5000, path=None)
    dump_cookie("k", "v" * 5000, max_size=0)
    dump_cookie("k", "v" * (4093 - 2), path=None)
