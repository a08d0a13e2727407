"""The same rules and the same path have the same outcome here and in Werkzeug."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolben import exceptions as our_exceptions
from kolben import routing as ours

theirs = pytest.importorskip("werkzeug.routing")
their_exceptions = pytest.importorskip("werkzeug.exceptions")

UUID = "12345678-1234-5678-1234-567812345678"
TEXTS = ["a", "b", "ab", "1", "a-b", "x.json"]
CONVERTERS = [
    "",
    "",
    "int:",
    "int(signed=True):",
    "float:",
    "path:",
    "any(a, b, 'a-b'):",
    "string(length=2):",
    "string(minlength=2, maxlength=3):",
    "uuid:",
]
SEGMENTS = [*TEXTS, "", "-1", "2.5", UUID, "ü", "a b", "1-2", "1-a.json", "a-1-b", "%2F", "c"]


@st.composite
def segments(draw: st.DrawFn, name: str) -> str:
    def placeholder(number: int) -> str:
        return f"<{draw(st.sampled_from(CONVERTERS))}{name}{number}>"

    shape = draw(st.integers(0, 9))
    if shape < 4:
        return draw(st.sampled_from(TEXTS))
    if shape < 7:
        return placeholder(0)
    if shape == 7:
        return f"{draw(st.sampled_from(['a', 'x-']))}{placeholder(0)}"
    if shape == 8:
        return f"{placeholder(0)}{draw(st.sampled_from(['.json', '-b']))}"
    return f"{placeholder(0)}-{placeholder(1)}"


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    path = "".join(f"/{draw(segments(f'v{index}_'))}" for index in range(draw(st.integers(0, 3))))
    rule: dict[str, Any] = {"string": path + draw(st.sampled_from(["", "", "/"])) or "/"}
    rule["methods"] = draw(st.sampled_from([None, ["GET"], ["GET", "POST"], ["PUT"]]))
    rule["strict_slashes"] = draw(st.sampled_from([None, None, None, False]))
    rule["merge_slashes"] = draw(st.sampled_from([None, None, None, False]))
    rule["websocket"] = rule["methods"] in (None, ["GET"]) and draw(st.integers(0, 9)) == 0
    rule["subdomain"] = draw(st.sampled_from([None, None, None, "api", "<sub>", "<int:sub>-x"]))
    return rule


def build_maps(specs: list[dict[str, Any]], **kwargs: Any) -> tuple[Any, Any]:
    specs = [{"endpoint": f"e{number}", **spec} for number, spec in enumerate(specs)]
    return (
        ours.Map([ours.Rule(**spec) for spec in specs], **kwargs),
        theirs.Map([theirs.Rule(**spec) for spec in specs], **kwargs),
    )


def outcome(adapter: Any, errors: Any, routing: Any, **kwargs: Any) -> tuple[Any, ...]:
    try:
        return ("match", *adapter.match(**kwargs))
    except routing.RequestRedirect as redirect:
        return ("redirect", redirect.new_url)
    except errors.MethodNotAllowed as error:
        return ("not allowed", sorted(error.valid_methods))
    except routing.WebsocketMismatch:
        return ("websocket mismatch",)
    except errors.NotFound:
        return ("not found",)


def both(maps: tuple[Any, Any], subdomain: str | None = None, **kwargs: Any) -> tuple[Any, Any]:
    our_adapter, their_adapter = (
        urls.bind("example.com", "/app", subdomain, query_args="q=1") for urls in maps
    )
    return (
        outcome(our_adapter, our_exceptions, ours, **kwargs),
        outcome(their_adapter, their_exceptions, theirs, **kwargs),
    )


paths = st.lists(st.sampled_from(SEGMENTS), max_size=4).map(lambda parts: "/" + "/".join(parts))
requests = st.fixed_dictionaries(
    {
        "path_info": paths,
        "method": st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
        "websocket": st.sampled_from([False, False, False, True]),
        "subdomain": st.sampled_from([None, None, None, "api", "7-x", "zz"]),
    }
)


@settings(deadline=None, max_examples=600)
@given(
    specs=st.lists(rules(), min_size=1, max_size=8),
    strict=st.booleans(),
    merge=st.booleans(),
    requests=st.lists(requests, min_size=1, max_size=12),
)
def test_matching_is_werkzeugs(
    specs: list[dict[str, Any]], strict: bool, merge: bool, requests: list[dict[str, Any]]
) -> None:
    maps = build_maps(specs, strict_slashes=strict, merge_slashes=merge)
    for request in requests:
        our_outcome, their_outcome = both(maps, **request)
        assert our_outcome == their_outcome, request
    # And the search, which the quick way leaves without much to do, finds the same.
    maps[0].match = maps[0].match.__self__.search
    for request in requests:
        our_outcome, their_outcome = both(maps, **request)
        assert our_outcome == their_outcome, request


@settings(deadline=None, max_examples=300)
@given(
    specs=st.lists(rules(), min_size=1, max_size=6),
    requests=st.lists(requests, min_size=1, max_size=12),
    method=st.sampled_from([None, "GET", "PUT"]),
    external=st.booleans(),
)
def test_what_matches_is_built_as_werkzeug_builds_it(
    specs: list[dict[str, Any]],
    requests: list[dict[str, Any]],
    method: str | None,
    external: bool,
) -> None:
    maps = build_maps([{**spec, "endpoint": "same"} for spec in specs], merge_slashes=False)
    for request in requests:
        adapters = [urls.bind("example.com", "/app", request["subdomain"]) for urls in maps]
        found = outcome(
            adapters[0], our_exceptions, ours, path_info=request["path_info"], method="GET"
        )
        if found[0] != "match":
            continue
        values = {**found[2], "q": ["1", "ü &"], "none": None}
        built = [build_outcome(adapter, values, method, external) for adapter in adapters]
        assert built[0] == built[1]


def build_outcome(adapter: Any, values: Any, method: str | None, external: bool) -> str:
    try:
        return str(adapter.build("same", values, method, force_external=external))
    except LookupError:
        return "no rule"
    except ValueError:
        return "refused by the converter"


DEFAULTS: list[dict[str, Any]] = [
    {"string": "/all/", "defaults": {"page": 1}, "endpoint": "all"},
    {"string": "/all/page/<int:page>", "endpoint": "all"},
    {"string": "/all/page/<int:page>/<view>", "endpoint": "all"},
    {"string": "/all/<view>", "endpoint": "all", "defaults": {"page": 2}},
    {"string": "/users/", "defaults": {"page": 1}, "endpoint": "users", "methods": ["GET"]},
    {"string": "/users/<int:page>", "endpoint": "users", "methods": ["GET", "POST"]},
    {"string": "/u/<int:page>", "endpoint": "users", "alias": True},
    {"string": "/home", "defaults": {"lang": "en"}, "endpoint": "home"},
    {"string": "/<any(en, de):lang>/home", "endpoint": "home"},
    {"string": "/old/<int:id>/<name>", "redirect_to": "new/<id>/<name>"},
    {"string": "/moved/<name>", "redirect_to": "/<name>"},
    {"string": "/called/<name>", "redirect_to": lambda adapter, name: f"to/{name}"},
    {"string": "/fixed/<a>", "defaults": {"a": "x"}, "endpoint": "fixed"},
    {"string": "/only/built/<a>", "endpoint": "built", "build_only": True},
    {"string": "/live", "endpoint": "live", "websocket": True},
    {"string": "/", "subdomain": "<tenant>", "endpoint": "tenant"},
    {"string": "/", "subdomain": "www", "endpoint": "www"},
]


@pytest.mark.parametrize("redirect_defaults", [True, False])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path",
    "/ /all /all/ /all/page/1 /all/page/2 /all/page/2/x /all/page/1/x /all/y /users /users/ /users/1"
    " /users/2 /u/1 /u/2 /home /en/home /de/home /fr/home /old/7/a%20b /moved/x /called/x /fixed/x"
    " /fixed/y /only/built/x /live //home /de//home /".split(),
)
@pytest.mark.parametrize("subdomain", [None, "www", "acme"])
def test_defaults_aliases_and_redirects_are_werkzeugs(
    redirect_defaults: bool, method: str, path: str, subdomain: str | None
) -> None:
    our_map, their_map = ours.Map, theirs.Map
    specs = [{"endpoint": f"e{number}", **spec} for number, spec in enumerate(DEFAULTS)]
    maps = (
        our_map([ours.Rule(**spec) for spec in specs], redirect_defaults=redirect_defaults),
        their_map([theirs.Rule(**spec) for spec in specs], redirect_defaults=redirect_defaults),
    )
    our_outcome, their_outcome = both(maps, subdomain, path_info=path, method=method)
    assert our_outcome == their_outcome


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("all", {}),
        ("all", {"page": 1}),
        ("all", {"page": 3}),
        ("all", {"page": 3, "view": "a b"}),
        ("all", {"page": 2, "view": "x", "q": [1, 2]}),
        ("users", {"page": 1}),
        ("users", {"page": 5, "_x": None}),
        ("home", {"lang": "en"}),
        ("home", {"lang": "de", "ä": "ö&=+#"}),
        ("home", {}),
        ("fixed", {"a": "x"}),
        ("fixed", {}),
        ("fixed", {"a": "y"}),
        ("built", {"a": "ü/ö"[0]}),
        ("live", {}),
        ("tenant", {"tenant": "acme"}),
        ("www", {}),
        ("missing", {}),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https", "wss", ""])
@pytest.mark.parametrize("external", [True, False])
@pytest.mark.parametrize("method", [None, "POST"])
def test_urls_are_built_as_werkzeug_builds_them(
    endpoint: str, values: dict[str, Any], scheme: str, external: bool, method: str | None
) -> None:
    results = []
    for urls, error in zip(build_maps(DEFAULTS), (ours.BuildError, theirs.BuildError), strict=True):
        adapter = urls.bind("example.com:8000", "/app", "www", url_scheme=scheme)
        try:
            results.append(adapter.build(endpoint, values, method, force_external=external))
        except error as failed:
            results.append(("error", failed.endpoint, failed.values, failed.method))
    assert results[0] == results[1]


HOSTS: list[dict[str, Any]] = [
    {"string": "/", "host": "example.com", "endpoint": "main"},
    {"string": "/", "host": "<name>.example.com", "endpoint": "sub"},
    {"string": "/x/", "host": "<name>.example.com", "endpoint": "x"},
    {"string": "/x/", "host": "a.example.com:80", "endpoint": "port"},
    {"string": "/y", "endpoint": "any"},
]


@pytest.mark.parametrize("host", ["example.com", "a.example.com", "a.example.com:80", "other.org"])
@pytest.mark.parametrize("path", ["/", "/x", "/x/", "/y", "/z"])
def test_hosts_are_matched_as_werkzeug_matches_them(host: str, path: str) -> None:
    our_map, their_map = build_maps(HOSTS, host_matching=True)
    results = []
    for urls, errors, routing in (
        (our_map, our_exceptions, ours),
        (their_map, their_exceptions, theirs),
    ):
        adapter = urls.bind(host)
        results.append(
            (
                outcome(adapter, errors, routing, path_info=path),
                adapter.build("main"),
                adapter.build("sub", {"name": "a"}),
            )
        )
    assert results[0] == results[1]
