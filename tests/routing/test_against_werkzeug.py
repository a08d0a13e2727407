"""The same rules and the same path have the same outcome here and in Werkzeug."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolben import exceptions as our_exceptions
from kolben import routing as ours
from kolben.routing import pattern

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
