"""Which Host headers are believed."""

from __future__ import annotations

import pytest

from kolben.exceptions import SecurityError
from kolben.wrappers.hosts import get_current_url, get_host, host_is_trusted, split_host


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("example.org", ("example.org", None)),
        ("EXAMPLE.org:80", ("example.org", 80)),
        ("127.0.0.1:5000", ("127.0.0.1", 5000)),
        ("[::1]:5000", ("[::1]", 5000)),
        ("web_1:8000", ("web_1", 8000)),
        ("xn--mnchen-3ya.de", ("xn--mnchen-3ya.de", None)),
    ],
)
def test_a_well_formed_host_is_split(host: str, found: tuple[str, int | None]) -> None:
    assert split_host(host) == found


MALFORMED = [
    "",
    "a b",
    "a/b",
    "a@b",
    "a:b",
    "a:",
    "a:0",
    "a:65536",
    "a:123456",
    "a,b",
    "[::1",
    "[1]",
    "[]",
    "a\\b",
    "a?b",
    "a#b",
    "ä.de",
    "a\r\nb",
    "a\x00",
    "<script>",
    "a" * 256,
]


@pytest.mark.parametrize("host", MALFORMED)
def test_a_malformed_host_is_never_trusted(host: str) -> None:
    assert split_host(host) is None
    assert not host_is_trusted(host)
    assert not host_is_trusted(host, [host])


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("example.org", ["example.org"]),
        ("example.org:8080", ["example.org"]),
        ("Example.ORG", ["example.org"]),
        ("a.b.example.org", [".example.org"]),
        ("a.b.example.org", ["*.example.org"]),
        ("example.org", ["*.example.org"]),
        ("example.org", [".example.org"]),
        ("[::1]:80", ["[::1]"]),
        ("[::1]", ["[::1]:5000"]),
        ("localhost:5000", ["a", "localhost:80"]),
        ("xn--mnchen-3ya.de", ["münchen.de"]),
        ("example.org", "example.org"),
    ],
)
def test_a_trusted_host_is_trusted(host: str, trusted: list[str]) -> None:
    assert host_is_trusted(host, trusted)


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("evil.example", ["example.org"]),
        ("example.org.evil.example", ["example.org", ".example.org"]),
        ("evilexample.org", [".example.org"]),
        ("evilexample.org", ["*.example.org"]),
        ("example.org", ["*"]),
        ("sub.example.org", ["example.org"]),
        ("example.org.", ["example.org"]),
        ("evil", ["\udcff"]),
    ],
)
def test_a_look_alike_is_not(host: str, trusted: list[str]) -> None:
    assert not host_is_trusted(host, trusted)


@pytest.mark.parametrize(
    ("scheme", "headers", "server", "expected"),
    [
        ("http", ["example.org"], None, "example.org"),
        ("http", ["example.org:80"], None, "example.org"),
        ("https", ["example.org:443"], None, "example.org"),
        ("wss", ["example.org:443"], None, "example.org"),
        ("https", ["example.org:80"], None, "example.org:80"),
        ("http", [], ("127.0.0.1", 5000), "127.0.0.1:5000"),
        ("http", [], ("127.0.0.1", 80), "127.0.0.1"),
        ("http", [], ("::1", 5000), "[::1]:5000"),
        ("http", [], ("/run/app.sock", None), ""),
        ("http", [], None, ""),
        ("http", [""], ("127.0.0.1", 5000), ""),
    ],
)
def test_the_host_comes_from_the_header_or_the_server(
    scheme: str, headers: list[str], server: tuple[str, int | None] | None, expected: str
) -> None:
    assert get_host(scheme, headers, server) == expected


@pytest.mark.parametrize(
    ("headers", "trusted"),
    [
        (["a/b"], None),
        (["example.org", "example.org"], None),
        (["example.org", "evil.example"], ["example.org"]),
        (["evil.example"], ["example.org"]),
        ([], ["127.0.0.1"]),
        ([""], ["127.0.0.1"]),
    ],
    ids=["malformed", "two", "two, one trusted", "not trusted", "missing", "empty"],
)
def test_a_bad_host_is_a_400(headers: list[str], trusted: list[str] | None) -> None:
    with pytest.raises(SecurityError) as caught:
        get_host("http", headers, ("127.0.0.1", 80), trusted)
    assert caught.value.code == 400


def test_a_url_is_put_together_as_an_iri() -> None:
    assert get_current_url("http", "h") == "http://h/"
    assert get_current_url("http", "h", "") == "http://h/"
    assert get_current_url("http", "h", "/app") == "http://h/app/"
    assert get_current_url("http", "h", "/app", "/") == "http://h/app/"
    assert get_current_url("http", "h", "", "/a b/ü", b"q=%C3%BC&r=1") == "http://h/a%20b/ü?q=ü&r=1"
    assert get_current_url("http", "h", "", "/a?b#c") == "http://h/a%3Fb%23c"
