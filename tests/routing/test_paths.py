"""The path that is matched, from what the server gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.routing import route_path
from kolben.routing.paths import ENCODED_SLASH, quote_path

S = ENCODED_SLASH


@pytest.mark.parametrize(
    ("path", "raw_path", "root_path", "expected"),
    [
        ("/a", None, "", "/a"),
        ("/a", b"/a", "", "/a"),
        ("/a b", b"/a%20b", "", "/a b"),
        ("/a/b", b"/a%2Fb", "", f"{S}/a{S}b"),
        ("/a/b/ü", b"/a%2fb/%C3%BC", "", f"{S}/a{S}b/ü"),
        ("/a/b", b"/a%2Fb?q=1", "", f"{S}/a{S}b"),
        # Mounted: the server's raw path has the prefix, the path to match has not.
        ("/a/b", b"/app/a%2Fb", "/app", f"{S}/a{S}b"),
        ("/a/b", b"/my%20app/a%2Fb", "/my app/", f"{S}/a{S}b"),
        # A prefix with an encoded slash of its own.
        ("/a/b", b"/x%2Fy/a%2Fb", "/x/y", f"{S}/a{S}b"),
        # Decoded once: an encoded percent sign is data.
        ("/a%2Fb", b"/a%252Fb", "", "/a%2Fb"),
        # What does not decode cannot become a slash.
        ("/a��/b", b"/a%C0%AF%2Fb", "", f"{S}/a��{S}b"),
        # Somebody rewrote the path: the raw one is stale.
        ("/new/a", b"/old%2Fa", "", "/new/a"),
        ("/new/a", b"/old%2Fa", "/app", "/new/a"),
    ],
)
def test_route_path(path: str, raw_path: bytes | None, root_path: str, expected: str) -> None:
    assert route_path(path, raw_path, root_path) == expected


@given(st.binary())
def test_route_path_takes_any_bytes(raw: bytes) -> None:
    assert route_path("/a", raw + b"%2F") == "/a"


@given(st.text())
def test_quote_path_takes_any_text(text: str) -> None:
    assert quote_path(text).isascii()


def test_quote_path_keeps_what_urls_may_hold() -> None:
    assert quote_path("/a/!$&'()*+,:;=@-._~") == "/a/!$&'()*+,:;=@-._~"
    assert quote_path('/"<>\\^`{|}\r\n%?#') == "/%22%3C%3E%5C%5E%60%7B%7C%7D%0D%0A%25%3F%23"
    assert quote_path(f"{S}/a{S}b") == "/a%2Fb"
