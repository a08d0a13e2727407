"""Requests that proxies have handed on."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.middleware.proxy_fix import ProxyFix as WerkzeugProxyFix

from kolben import Kolben, redirect, request, url_for
from kolben.middleware import ProxyFix, RequestIDFilter
from kolben.middleware.forwarded import nth_from_right, parse_forwarded
from kolben.testing import RequestBuilder
from kolben.testing.wsgi import make_environ

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

EVERYTHING = {"x_for": 1, "x_proto": 1, "x_host": 1, "x_port": 1, "x_prefix": 1}


class Fix:
    """Says what becomes of a request: ``fix({"x_for": 1}, ("X-Forwarded-For", "192.0.2.1"))``."""

    def __init__(self, ask: Any) -> None:
        self.ask = ask

    def scope(
        self, *headers: tuple[str, str], host: str | None = "inside:8000", **more: Any
    ) -> Any:
        fields = [*([] if host is None else [("Host", host)]), *headers]
        more = {"client": ("10.0.0.1", 4000), "server": ("10.0.0.2", 8000), **more}
        return self.ask.scope_of("GET", fields, **more)

    def __call__(self, options: dict[str, int], *headers: tuple[str, str], **more: Any) -> Any:
        seen = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope)

        self.ask.with_scope(ProxyFix(app, **options), self.scope(*headers, **more))
        return seen[0]

    def environ(self, options: dict[str, int], environ: dict[str, Any]) -> dict[str, Any]:
        def app(environ: Any, start_response: Any) -> Any:
            return [environ, start_response]

        assert ProxyFix(app, **options)(environ, len) == [environ, len]
        return environ


@pytest.fixture
def fix(ask: Any) -> Fix:
    return Fix(ask)


def host_of(scope: Any) -> list[str]:
    return [value.decode() for name, value in scope["headers"] if name == b"host"]


# Which value is trusted


@pytest.mark.parametrize(
    ("value", "count", "found"),
    [
        ("a", 1, "a"),
        ("a, b ,\tc", 1, "c"),
        ("a, b ,\tc", 2, "b"),
        ("a, b ,\tc", 3, "a"),
        ("a, b ,\tc", 4, None),
        ("", 1, ""),
        ("a,", 1, ""),
        ('"a", "b"', 1, "b"),
        ('"a,b", c', 2, "a,b"),
        (r'x="a\",b", c', 2, r'x="a\",b"'),
        (r'x="a\\", c', 2, r'x="a\\"'),
        ('x="", c', 2, 'x=""'),
        ('", b', 1, "b"),
        ('", b', 2, None),
        ('a"b", c', 3, None),
        ('for="[', 1, None),
        ('for=6.6.6.6;x=", for="[2001:db8::1]"', 1, 'for="[2001:db8::1]"'),
        ('for=6.6.6.6;x="\\, for="[2001:db8::1]"', 1, 'for="[2001:db8::1]"'),
    ],
)
def test_a_list_is_read_from_its_right_end(value: str, count: int, found: str | None) -> None:
    assert nth_from_right(value, count) == found


@given(
    st.text('",;=\\ a'),
    st.sampled_from(["203.0.113.9", 'for="[::1]:80";host="a\\"b,"', 'x="\\\\"']),
)
def test_nothing_that_a_client_sends_changes_what_a_proxy_has_added(sent: str, added: str) -> None:
    assert nth_from_right(f"{sent}, {added}", 1) == added


def test_a_long_list_of_quotes_is_read_in_linear_time() -> None:
    assert nth_from_right('"' * 1_000_001, 1) is None
    assert nth_from_right('"' * 1_000_000 + ",a", 1) == "a"
    assert nth_from_right('\\"' * 1_000_000, 2) is None
    assert parse_forwarded('a="' + '\\"' * 1_000_000) == {}


def test_the_count_says_which_value_is_believed(fix: Fix) -> None:
    values = ("X-Forwarded-For", "192.0.2.1, 192.0.2.2, 192.0.2.3")
    for count, address in ((1, "192.0.2.3"), (2, "192.0.2.2"), (3, "192.0.2.1"), (4, "10.0.0.1")):
        assert fix({"x_for": count}, values)["client"][0] == address


def test_several_lines_are_one_list(fix: Fix) -> None:
    lines = [("X-Forwarded-For", "192.0.2.1, 192.0.2.2"), ("X-Forwarded-For", "192.0.2.3")]
    for count, address in ((1, "192.0.2.3"), (2, "192.0.2.2"), (3, "192.0.2.1")):
        assert fix({"x_for": count}, *lines)["client"][0] == address


def test_a_field_whose_count_is_zero_is_not_looked_at(fix: Fix) -> None:
    scope = fix(
        dict.fromkeys(EVERYTHING, 0),
        ("X-Forwarded-For", "192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Port", "1"),
        ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "for=192.0.2.1"),
    )
    assert scope["client"] == ("10.0.0.1", 4000)
    assert (scope["scheme"], scope["root_path"], scope["path"]) == ("http", "", "/")
    assert host_of(scope) == ["inside:8000"]
    assert "kolben.proxy_fix.orig" not in scope


def test_one_proxy_that_sets_for_and_proto_is_the_default(fix: Fix) -> None:
    scope = fix(
        {},
        ("X-Forwarded-For", "6.6.6.6, 192.0.2.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
    )
    assert (scope["client"], scope["scheme"]) == (("192.0.2.1", 0), "https")
    assert host_of(scope) == ["inside:8000"]


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match=r"-1 as the number of proxies that set x-forwarded-for"):
        ProxyFix(None, x_for=-1)


# What the values do


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.1", ("192.0.2.1", 0)),
        ("192.0.2.1:4711", ("192.0.2.1", 4711)),
        ("2001:db8::1", ("2001:db8::1", 0)),
        ("[2001:db8::1]", ("2001:db8::1", 0)),
        ("[2001:db8::1]:4711", ("2001:db8::1", 4711)),
        ('"[2001:db8::1]:4711"', ("2001:db8::1", 4711)),
        ("::ffff:192.0.2.1", ("::ffff:192.0.2.1", 0)),
    ],
)
def test_for_is_the_client(fix: Fix, value: str, client: tuple[str, int]) -> None:
    assert fix({"x_for": 1}, ("X-Forwarded-For", value))["client"] == client
    assert fix({"x_for": 1}, ("X-Forwarded-For", value), type="websocket")["client"] == client


@pytest.mark.parametrize(
    "value",
    [
        "",
        "unknown",
        "_hidden",
        "localhost",
        "client.example",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.1:65536",
        "192.0.2.1:port",
        "192.0.2.1:",
        "[192.0.2.1]",
        "[2001:db8::1",
        "2001:db8::1::",
        "192.0.2.1\x00",
        "192.0.2.1\r\nX: y",
        "192.0.2.1 ; DROP",
        "١٩٢.0.2.1".encode().decode("latin-1"),
        '"',
    ],
)
def test_a_for_without_an_address_is_ignored(fix: Fix, value: str) -> None:
    scope = fix({"x_for": 1}, ("X-Forwarded-For", value))
    assert scope["client"] == ("10.0.0.1", 4000)
    assert "kolben.proxy_fix.orig" not in scope


@pytest.mark.parametrize("value", ["https", "HTTPS", "wss"])
def test_proto_is_the_scheme_and_that_of_websockets_is_wss(fix: Fix, value: str) -> None:
    field = ("X-Forwarded-Proto", value)
    assert fix({"x_proto": 1}, field)["scheme"] == "https"
    assert fix({"x_proto": 1}, field, type="websocket", scheme="ws")["scheme"] == "wss"


def test_proto_may_say_that_the_client_used_no_tls(fix: Fix) -> None:
    field = ("X-Forwarded-Proto", "http")
    assert fix({"x_proto": 1}, field, scheme="https")["scheme"] == "http"
    assert fix({"x_proto": 1}, field, type="websocket", scheme="wss")["scheme"] == "ws"


@pytest.mark.parametrize("value", ["", "ftp", "javascript", "http\x00", "https://", "on"])
def test_another_scheme_is_ignored(fix: Fix, value: str) -> None:
    assert fix({"x_proto": 1}, ("X-Forwarded-Proto", value))["scheme"] == "http"


@pytest.mark.parametrize(
    ("value", "server"),
    [
        ("example.org", ("example.org", 8000)),
        ("Example.org:8443", ("example.org", 8443)),
        ("[2001:db8::1]:8443", ("[2001:db8::1]", 8443)),
        ("[2001:db8::1]", ("[2001:db8::1]", 8000)),
    ],
)
def test_host_is_the_host_field_and_the_server(
    fix: Fix, value: str, server: tuple[str, int]
) -> None:
    scope = fix({"x_host": 1}, ("X-Forwarded-Host", value))
    assert host_of(scope) == [value]
    assert scope["server"] == server


def test_host_takes_the_place_of_two_host_fields_and_of_none(fix: Fix) -> None:
    field = ("X-Forwarded-Host", "example.org")
    assert host_of(fix({"x_host": 1}, ("Host", "second"), field)) == ["example.org"]
    assert host_of(fix({"x_host": 1}, field, host=None)) == ["example.org"]


def test_a_port_makes_no_host_where_there_is_none_or_a_bad_one(fix: Fix) -> None:
    field = ("X-Forwarded-Port", "8443")
    assert host_of(fix({"x_port": 1}, field, host=None)) == []
    assert host_of(fix({"x_port": 1}, field, host="a/b")) == ["a/b"]
    assert host_of(fix({"x_port": 1}, field, ("Host", "b"), host="a")) == ["a", "b"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a b",
        "evil.example/path",
        "user@evil.example",
        "a:b",
        "a:0",
        "a:99999",
        "a\r\nX: y",
        "a\x00",
    ],
)
def test_a_malformed_host_is_ignored(fix: Fix, value: str) -> None:
    scope = fix({"x_host": 1}, ("X-Forwarded-Host", value))
    assert host_of(scope) == ["inside:8000"]
    assert scope["server"] == ("10.0.0.2", 8000)


def test_port_is_that_of_the_host_field_and_of_the_server(fix: Fix) -> None:
    scope = fix({"x_port": 1}, ("X-Forwarded-Port", "8443"))
    assert (host_of(scope), scope["server"]) == (["inside:8443"], ("10.0.0.2", 8443))
    both = [("X-Forwarded-Port", "8443"), ("X-Forwarded-Host", "example.org:1")]
    scope = fix({"x_port": 1, "x_host": 1}, *both)
    assert (host_of(scope), scope["server"]) == (["example.org:8443"], ("example.org", 8443))


def test_a_host_on_a_unix_socket_has_the_port_of_its_scheme(fix: Fix) -> None:
    fields = [("X-Forwarded-Host", "example.org"), ("X-Forwarded-Proto", "https")]
    scope = fix(EVERYTHING, *fields, server=("/run/app.sock", None))
    assert scope["server"] == ("example.org", 443)
    assert fix(EVERYTHING, fields[0], server=None)["server"] == ("example.org", 80)
    port_only = fix({"x_port": 1}, ("X-Forwarded-Port", "1"), server=("/run/app.sock", None))
    assert port_only["server"] == ("/run/app.sock", None)


@pytest.mark.parametrize("value", ["", "0", "65536", "-1", "+80", "8_0", "80 80", "８０", "1e3"])
def test_a_port_that_is_no_number_is_ignored(fix: Fix, value: str) -> None:
    scope = fix({"x_port": 1}, ("X-Forwarded-Port", value.encode().decode("latin-1")))
    assert (host_of(scope), scope["server"]) == (["inside:8000"], ("10.0.0.2", 8000))


@pytest.mark.parametrize(
    ("value", "more", "root_path", "path", "raw_path"),
    [
        ("/app", {}, "/app", "/app/", b"/app/"),
        ("/app/", {}, "/app", "/app/", b"/app/"),
        ("/a/b", {"path": "/x", "raw_path": b"/x"}, "/a/b", "/a/b/x", b"/a/b/x"),
        ("/caf%C3%A9", {}, "/café", "/café/", b"/caf%C3%A9/"),
        ("/app", {"path": "/x/y", "raw_path": b"/x%2Fy"}, "/app", "/app/x/y", b"/app/x%2Fy"),
        (
            "/new",
            {"root_path": "/old", "path": "/old/x", "raw_path": b"/old/x"},
            "/new",
            "/new/x",
            b"/new/x",
        ),
        (
            "/new",
            {"root_path": "/old", "path": "/x", "raw_path": b"/x"},
            "/new",
            "/new/x",
            b"/new/x",
        ),
        ("/", {"root_path": "/old", "path": "/old/x", "raw_path": b"/old/x"}, "", "/x", b"/x"),
        ("/app", {"raw_path": None}, "/app", "/app/", None),
    ],
)
def test_prefix_is_in_front_of_the_path(
    fix: Fix, value: str, more: Any, root_path: str, path: str, raw_path: bytes | None
) -> None:
    scope = fix({"x_prefix": 1}, ("X-Forwarded-Prefix", value), **more)
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == (root_path, path, raw_path)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "app",
        "//evil.example",
        "/a//b",
        "/\\evil.example",
        "/%5Cevil.example",
        "/%2Fevil.example",
        "/a?b",
        "/a#b",
        "/a b",
        "/a\x00",
        "/%00",
        "/%0d%0aX:%20y",
        "/%FF",
        "/\xe9",
        "https://evil.example",
    ],
)
def test_a_prefix_that_could_lead_elsewhere_is_ignored(fix: Fix, value: str) -> None:
    scope = fix({"x_prefix": 1}, ("X-Forwarded-Prefix", value))
    assert (scope["root_path"], scope["path"], scope["raw_path"]) == ("", "/", b"/")


def test_what_came_is_kept_and_the_servers_scope_is_not_changed(fix: Fix) -> None:
    before = fix.scope(("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-Host", "example.org"))
    copy = {**before, "headers": list(before["headers"])}
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    fix.ask.with_scope(ProxyFix(app, x_host=1), before)
    assert before == copy
    assert seen[0]["kolben.proxy_fix.orig"]["client"] == ("10.0.0.1", 4000)
    assert host_of(seen[0]["kolben.proxy_fix.orig"]) == ["inside:8000"]


def test_a_lifespan_passes(fix: Fix) -> None:
    assert fix({}, type="lifespan")["type"] == "lifespan"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect cannot be told so before 3.12")
def test_servers_see_a_coroutine_function() -> None:
    assert inspect.iscoroutinefunction(ProxyFix(None).__call__)


# Forwarded


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", ("192.0.2.60", 0)),
        ("For=192.0.2.60 ; Proto=http", ("192.0.2.60", 0)),
        (";;for=192.0.2.60;", ("192.0.2.60", 0)),
        ('for="192.0.2.60:4711"', ("192.0.2.60", 4711)),
        ("for=192.0.2.60:4711", ("192.0.2.60", 4711)),
        ('for="192.0.2.60:_port"', ("192.0.2.60", 0)),
        ('for="[2001:db8:cafe::17]:4711"', ("2001:db8:cafe::17", 4711)),
        (r'for="\[2001:db8:cafe::17\]"', ("2001:db8:cafe::17", 0)),
        ('secret="a, b;c\\"";for=192.0.2.60', ("192.0.2.60", 0)),
        ("for=6.6.6.6, for=192.0.2.60", ("192.0.2.60", 0)),
        ('for=", for=192.0.2.60', ("192.0.2.60", 0)),
    ],
)
def test_forwarded_says_who_the_client_is(fix: Fix, value: str, found: tuple[str, int]) -> None:
    assert fix({"forwarded": 1}, ("Forwarded", value))["client"] == found


@pytest.mark.parametrize(
    "value",
    [
        "",
        "for=unknown",
        "for=_gazonk",
        'for=""',
        "for",
        "for=",
        "=192.0.2.60",
        "for = 192.0.2.60",
        'for="192.0.2.60',
        "for=192.0.2.60 proto=https",
        "for=192.0.2.60;for=192.0.2.61",
        "for=192.0.2.60;FOR=192.0.2.60",
        "for=192.0.2.60;host=a b",
        "by=203.0.113.43",
        "for=192.0.2.60,",
    ],
)
def test_an_element_that_is_malformed_or_silent_changes_no_client(fix: Fix, value: str) -> None:
    assert fix({"forwarded": 1}, ("Forwarded", value))["client"] == ("10.0.0.1", 4000)


def test_forwarded_says_host_and_scheme_too(fix: Fix) -> None:
    scope = fix(
        {"forwarded": 1}, ("Forwarded", 'for=192.0.2.1;host="example.org:8443";proto=https')
    )
    assert (scope["scheme"], host_of(scope)) == ("https", ["example.org:8443"])
    assert scope["server"] == ("example.org", 8443)
    scope = fix({"forwarded": 1}, ("Forwarded", 'host="a/b";proto=gopher;for=192.0.2.1'))
    assert (scope["scheme"], host_of(scope)) == ("http", ["inside:8000"])
    assert scope["client"] == ("192.0.2.1", 0)


def test_a_host_that_smuggles_a_parameter_into_an_element_spoils_it(fix: Fix) -> None:
    """A proxy that pastes the client's Host in without quoting it."""
    scope = fix({"forwarded": 1}, ("Forwarded", "for=192.0.2.1;host=a;for=6.6.6.6"))
    assert scope["client"] == ("10.0.0.1", 4000)


def test_elements_are_counted_across_lines(fix: Fix) -> None:
    lines = [
        ("Forwarded", 'for=192.0.2.1, for="[2001:db8::2]"'),
        ("Forwarded", "for=192.0.2.3;proto=https"),
    ]
    clients = [fix({"forwarded": count}, *lines)["client"][0] for count in (1, 2, 3, 4)]
    assert clients == ["192.0.2.3", "2001:db8::2", "192.0.2.1", "10.0.0.1"]
    assert fix({"forwarded": 2}, *lines)["scheme"] == "http"


def test_with_forwarded_the_other_fields_are_believed_only_if_asked_for(fix: Fix) -> None:
    """A proxy that sets Forwarded hands X-Forwarded-For on as the client sent it."""
    sent = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https")]
    scope = fix({"forwarded": 1}, *sent)
    assert (scope["client"], scope["scheme"]) == (("10.0.0.1", 4000), "http")
    both = [*sent, ("Forwarded", "for=192.0.2.1")]
    scope = fix({"forwarded": 1, "x_for": 1, "x_proto": 1}, *both)
    assert (scope["client"], scope["scheme"]) == (("192.0.2.1", 0), "https")


# WSGI, and Werkzeug's


def test_it_wraps_a_wsgi_application(fix: Fix) -> None:
    scope = fix.scope(
        ("X-Forwarded-For", "6.6.6.6, 192.0.2.1:4711"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "example.org"),
        ("X-Forwarded-Port", "8443"),
        ("X-Forwarded-Prefix", "/caf%C3%A9"),
    )
    environ = fix.environ(EVERYTHING, make_environ(scope, b""))
    assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("192.0.2.1", "4711")
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTP_HOST"] == "example.org:8443"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("example.org", "8443")
    assert environ["SCRIPT_NAME"] == "/café".encode().decode("latin-1")
    assert environ["PATH_INFO"] == "/"
    assert environ["kolben.proxy_fix.orig"]["REMOTE_ADDR"] == "10.0.0.1"


def test_a_port_of_the_proxys_is_not_taken_for_the_clients(fix: Fix) -> None:
    environ = make_environ(fix.scope(("X-Forwarded-For", "192.0.2.1")), b"")
    environ["REMOTE_HOST"] = "proxy.internal"
    fixed = fix.environ({}, environ)
    assert "REMOTE_PORT" not in fixed
    assert "REMOTE_HOST" not in fixed


def test_an_environ_without_the_fields_is_left_alone(fix: Fix) -> None:
    environ = make_environ(fix.scope(), b"")
    before = dict(environ)
    assert fix.environ(EVERYTHING, environ) == before


def test_an_environ_within_a_scope_is_fixed_as_well(fix: Fix) -> None:
    field = ("X-Forwarded-For", "192.0.2.1")
    environ = make_environ(fix.scope(field), b"")
    scope = fix({}, field, wsgi_environ=environ)
    assert scope["wsgi_environ"]["REMOTE_ADDR"] == "192.0.2.1"
    assert environ["REMOTE_ADDR"] == "10.0.0.1"


def test_forwarded_fixes_an_environ_without_host_and_port(fix: Fix) -> None:
    environ = make_environ(fix.scope(("Forwarded", "host=example.org;proto=https")), b"")
    del environ["HTTP_HOST"]
    environ["SERVER_PORT"] = ""  # Gunicorn on a Unix socket
    fixed = fix.environ({"forwarded": 1}, environ)
    assert (fixed["HTTP_HOST"], fixed["SERVER_PORT"]) == ("example.org", "443")


VALUES = {
    "HTTP_X_FORWARDED_FOR": st.lists(
        st.sampled_from(["192.0.2.1", "2001:db8::1", "10.1.1.1"]), min_size=1, max_size=4
    ),
    "HTTP_X_FORWARDED_PROTO": st.lists(st.sampled_from(["http", "https"]), min_size=1, max_size=3),
    "HTTP_X_FORWARDED_HOST": st.lists(
        st.sampled_from(["example.org", "a.example:8443", "[2001:db8::1]", "[::1]:81"]),
        min_size=1,
        max_size=3,
    ),
    "HTTP_X_FORWARDED_PORT": st.lists(st.sampled_from(["80", "8443"]), min_size=1, max_size=3),
    "HTTP_X_FORWARDED_PREFIX": st.lists(st.sampled_from(["/a", "/b/c"]), min_size=1, max_size=3),
}


@given(
    st.fixed_dictionaries({name: st.integers(0, 3) for name in EVERYTHING}),
    st.fixed_dictionaries({}, optional=VALUES),
    st.sampled_from([None, "inside", "inside:8000", "[::1]", "[::1]:8000"]),
    st.sampled_from([", ", ",", " , "]),
)
def test_werkzeug_makes_the_same_of_an_environ(
    options: dict[str, int], values: dict[str, list[str]], host: str | None, comma: str
) -> None:
    environ = {name: comma.join(items) for name, items in values.items()}
    environ |= {
        "REMOTE_ADDR": "10.0.0.1",
        "SERVER_NAME": "10.0.0.2",
        "SERVER_PORT": "8000",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "wsgi.url_scheme": "http",
    }
    if host is not None:
        environ["HTTP_HOST"] = host
    ours, theirs = dict(environ), dict(environ)
    ProxyFix(lambda environ, start_response: [], **options)(ours, len)
    WerkzeugProxyFix(lambda environ, start_response: [], **options)(theirs, len)  # type: ignore[arg-type]
    for made in (ours, theirs):
        made.pop("kolben.proxy_fix.orig", None)
        made.pop("werkzeug.proxy_fix.orig", None)
    assert ours == theirs


# In an application


@pytest.fixture
def app() -> Kolben:
    app = Kolben(__name__)

    @app.get("/whoami")
    def whoami() -> Any:
        return {
            "addr": request.remote_addr,
            "url": request.url,
            "secure": request.is_secure,
            "here": url_for("whoami"),
            "external": url_for("whoami", _external=True),
        }

    @app.get("/away")
    async def away() -> Any:
        return redirect(url_for("whoami"))

    app.add_middleware(ProxyFix, **EVERYTHING)
    return app


BEHIND = {
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "example.org",
    "X-Forwarded-Prefix": "/shop",
}


def test_a_view_sees_what_the_client_had_asked_for(app: Kolben) -> None:
    client = app.test_client()
    assert client.get("/whoami", headers=BEHIND).json == {
        "addr": "192.0.2.1",
        "url": "https://example.org/shop/whoami",
        "secure": True,
        "here": "/shop/whoami",
        "external": "https://example.org/shop/whoami",
    }
    assert client.get("/away", headers=BEHIND).headers["Location"] == "/shop/whoami"


def test_a_view_sees_the_same_under_wsgi(app: Kolben) -> None:
    client = app.test_client()
    expected = client.get("/whoami", headers=BEHIND).data
    environ = RequestBuilder(app, "/whoami", headers=BEHIND).get_environ()
    body, _, _ = client.run_wsgi_app(environ, buffered=True)
    assert b"".join(body) == expected


def test_it_wraps_wsgi_app_as_the_documentation_of_flask_has_it() -> None:
    app = Kolben(__name__)

    @app.get("/whoami")
    def whoami() -> Any:
        return {"addr": request.remote_addr, "url": request.url, "here": url_for("whoami")}

    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)  # type: ignore[method-assign]
    client = app.test_client()
    environ = RequestBuilder(app, "/whoami", headers=BEHIND).get_environ()
    body, status, _ = client.run_wsgi_app(environ, buffered=True)
    assert status == "200 OK"
    assert json.loads(b"".join(body)) == {
        "addr": "192.0.2.1",
        "url": "https://example.org/shop/whoami",
        "here": "/shop/whoami",
    }


def test_the_numbers_can_be_settings() -> None:
    app = Kolben(__name__)
    app.config.update(PROXY_FIX_FOR=2, PROXY_FIX_PROTO=0, PROXY_FIX_HOST=1, PROXY_FIX_PORT=1)
    app.config.update(PROXY_FIX_PREFIX=1)

    @app.get("/whoami")
    async def whoami() -> Any:
        return {"addr": request.remote_addr, "url": request.url}

    app.add_middleware(ProxyFix)
    headers = {**BEHIND, "X-Forwarded-For": "192.0.2.1, 192.0.2.2", "X-Forwarded-Port": "81"}
    assert app.test_client().get("/whoami", headers=headers).json == {
        "addr": "192.0.2.1",
        "url": "http://example.org:81/shop/whoami",
    }


def test_forwarded_can_be_a_setting() -> None:
    app = Kolben(__name__)
    app.config["PROXY_FIX_FORWARDED"] = 1

    @app.get("/whoami")
    async def whoami() -> Any:
        return str(request.remote_addr)

    app.add_middleware(ProxyFix)
    headers = {"Forwarded": "for=192.0.2.1", "X-Forwarded-For": "6.6.6.6"}
    assert app.test_client().get("/whoami", headers=headers).text == "192.0.2.1"


def test_without_a_proxy_nothing_changes(app: Kolben) -> None:
    seen = app.test_client().get("/whoami").json
    assert (seen["addr"], seen["url"]) == ("127.0.0.1", "http://localhost/whoami")


# The page of the documentation


@pytest.fixture
def documented(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    before = list(logging.getLogger().handlers)
    yield importlib.import_module("proxies").app
    sys.modules.pop("proxies", None)
    logging.getLogger().handlers[:] = before


def test_the_application_of_the_documentation_is_true(
    documented: Kolben, caplog: pytest.LogCaptureFixture
) -> None:
    client = documented.test_client()
    proxied = {
        "Host": "example.org",
        "X-Forwarded-For": "6.6.6.6, 192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "abc",
    }
    seen = client.get("/client", headers=proxied)
    assert seen.json == {"address": "192.0.2.1", "url": "https://example.org/client"}
    assert seen.headers["X-Request-ID"] == "abc"
    caplog.handler.addFilter(RequestIDFilter())
    assert client.get("/pay", headers=proxied).json == {"in case of trouble, quote": "abc"}
    assert [record.request_id for record in caplog.records] == ["abc"]  # type: ignore[attr-defined]
    plain = client.get("/client?a=b", headers={"Host": "example.org"})
    assert plain.headers["Location"] == "https://example.org/client?a=b"
    assert client.get("/health", headers={"Host": "example.org"}).text == "well"
    refused = client.get("/client", headers={**proxied, "Host": "evil.example"})
    assert (refused.status_code, refused.headers["X-Request-ID"]) == (400, "abc")


@pytest.mark.parametrize("path", ["/client", "/health"])
def test_the_application_of_the_documentation_is_the_same_under_wsgi(
    documented: Kolben, path: str
) -> None:
    headers = {
        "Host": "example.org",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "abc",
    }
    client = documented.test_client()
    expected = client.get(path, headers=headers)
    environ = RequestBuilder(documented, path, headers=headers).get_environ()
    body, status, sent = client.run_wsgi_app(environ, buffered=True)
    assert (b"".join(body), status) == (expected.data, "200 OK")
    assert sent["X-Request-ID"] == "abc"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[str]:
    """The documentation's application behind nginx with the documentation's configuration."""
    if (program := shutil.which("nginx")) is None:
        pytest.skip("nginx is not installed")
    port, upstream = free_port(), free_port()
    settings = (EXAMPLES / "nginx.conf").read_text()
    settings = settings.replace(":8080", f":{port}").replace(":8000", f":{upstream}")
    (tmp_path / "nginx.conf").write_text(settings)
    server = [sys.executable, "-m", "uvicorn", "proxies:app", "--port", str(upstream)]
    proxy = [program, "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    with ExitStack() as stack:
        for command, number in ((server, upstream), (proxy, port)):
            log = stack.enter_context((tmp_path / f"{number}.log").open("w+b"))
            process = subprocess.Popen(command, cwd=EXAMPLES, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.terminate)
            while not listens(number):
                assert process.poll() is None, (tmp_path / f"{number}.log").read_text()
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"


def test_the_nginx_configuration_of_the_documentation_is_true(nginx: str) -> None:
    def ask(path: str, **headers: str) -> Any:
        connection = HTTPConnection(nginx)
        with closing(connection):
            connection.request("GET", path, headers={"Host": "example.org", **headers})
            response = connection.getresponse()
            response.read()
            return response

    healthy = ask("/health", **{"X-Request-ID": "made-up"})
    assert healthy.status == 200
    assert len(healthy.headers["X-Request-ID"]) == 32  # nginx's, not the client's
    plain = ask("/client", **{"X-Forwarded-Proto": "https"})
    assert (plain.status, plain.headers["Location"]) == (308, "https://example.org/client")
    assert ask("/health", Host="evil.example").status == 400
