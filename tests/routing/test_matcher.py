"""What matches, in which order of preference, and how much work it takes."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from kolben.exceptions import MethodNotAllowed, NotFound
from kolben.routing import (
    BaseConverter,
    Map,
    Redirection,
    Rule,
    ValidationError,
    WebsocketMismatch,
    route_path,
)


def endpoint(urls: Map, path: str, method: str = "GET", **kwargs: Any) -> Any:
    return urls.match(path, method, **kwargs)[0].endpoint


@pytest.mark.parametrize(
    ("rules", "path", "best"),
    [
        (["/<a>", "/<int:a>", "/<path:a>", "/1"], "/1", "/1"),
        (["/<a>", "/<int:a>", "/<path:a>"], "/1", "/<int:a>"),
        (["/<a>", "/<path:a>"], "/x", "/<a>"),
        (["/<a>-x", "/<a>", "/<a>-<b>"], "/y-x", "/<a>-x"),
        (["/<a>.tar.gz", "/<a>.gz", "/<a>"], "/x.tar.gz", "/<a>.tar.gz"),
        (["/<a>/edit", "/<int:a>/<b>"], "/1/edit", "/<int:a>/<b>"),
        (["/x/<a>", "/<a>/y"], "/x/y", "/x/<a>"),
        (["/<path:p>/edit", "/<path:p>"], "/a/b/edit", "/<path:p>/edit"),
        (["/<path:p>", "/<a>/<b>/c/"], "/1/2/c/", "/<a>/<b>/c/"),
    ],
)
def test_the_more_specific_rule_wins_whatever_the_order(
    rules: list[str], path: str, best: str
) -> None:
    for order in permutations(rules):
        assert endpoint(Map([Rule(rule, endpoint=rule) for rule in order]), path) == best


def test_a_way_that_leads_nowhere_is_given_up_for_the_next() -> None:
    urls = Map([Rule("/a/<int:x>/c", endpoint="deep"), Rule("/<x>/<y>/<z>", endpoint="any")])
    assert endpoint(urls, "/a/1/c") == "deep"
    assert urls.match("/a/1/d", "GET")[1] == {"x": "a", "y": "1", "z": "d"}


def test_a_rule_for_another_method_leaves_the_path_to_the_next() -> None:
    urls = Map(
        [Rule("/me", endpoint="me", methods=["GET"]), Rule("/<x>", endpoint="x", methods=["PUT"])]
    )
    assert endpoint(urls, "/me") == endpoint(urls, "/me", "HEAD") == "me"
    assert endpoint(urls, "/me", "PUT") == "x"
    with pytest.raises(MethodNotAllowed) as caught:
        urls.match("/me", "DELETE")
    assert caught.value.valid_methods == ["GET", "HEAD", "PUT"]


@pytest.mark.parametrize("methods", [None, ["GET"]])
def test_a_converter_that_refuses_leaves_the_path_to_the_next(methods: list[str] | None) -> None:
    urls = Map(
        [
            Rule("/<int(max=9):x>", endpoint="digit", methods=methods),
            Rule("/<int(fixed_digits=3):x>", endpoint="three", methods=methods),
            Rule("/<x>", endpoint="any", methods=methods),
        ]
    )
    assert endpoint(urls, "/7") == "digit"
    assert endpoint(urls, "/007") == "digit"
    assert endpoint(urls, "/777") == "three"
    assert endpoint(urls, "/7777") == "any"


@pytest.mark.parametrize("methods", [None, ["GET"]])
def test_a_faulty_converter_is_not_mistaken_for_a_refusal(methods: list[str] | None) -> None:
    class Faulty(BaseConverter):
        def to_python(self, value: str) -> Any:
            raise ValueError("a bug")

    urls = Map([Rule("/<faulty:x>", endpoint="x", methods=methods)], converters={"faulty": Faulty})
    with pytest.raises(ValueError, match="a bug") as caught:
        urls.match("/x", "GET")
    assert not isinstance(caught.value, ValidationError)


@pytest.mark.parametrize("methods", [None, ["GET"]])
def test_more_digits_than_python_converts_are_no_match(methods: list[str] | None) -> None:
    urls = Map(
        [
            Rule("/<int:x>", endpoint="x", methods=methods),
            Rule("/f/<float:x>", endpoint="f", methods=methods),
        ]
    )
    for path in ("/" + "9" * 5_000, "/f/" + "9" * 400 + ".0"):
        with pytest.raises(NotFound):
            urls.match(path, "GET")


def test_slashes_at_the_end() -> None:
    urls = Map(
        [
            Rule("/branch/", endpoint="branch"),
            Rule("/leaf", endpoint="leaf"),
            Rule("/loose/", endpoint="loose", strict_slashes=False),
            Rule("/slack", endpoint="slack", strict_slashes=False),
            Rule("/tree/<path:p>/", endpoint="tree"),
        ]
    )
    with pytest.raises(Redirection) as caught:
        urls.match("/branch", "GET")
    assert caught.value.path == "/branch/"
    with pytest.raises(Redirection) as caught:
        urls.match("/tree/a/b", "POST")
    assert caught.value.path == "/tree/a/b/"
    with pytest.raises(NotFound):
        urls.match("/leaf/", "GET")
    assert endpoint(urls, "/loose") == endpoint(urls, "/loose/") == "loose"
    assert endpoint(urls, "/slack") == endpoint(urls, "/slack/") == "slack"


def test_double_slashes_redirect_unless_told_otherwise() -> None:
    rules = [Rule("/a/b", endpoint="ab"), Rule("/c/d", endpoint="cd", merge_slashes=False)]
    urls = Map(rules)
    with pytest.raises(Redirection) as caught:
        urls.match("/a///b", "GET")
    assert caught.value.path == "/a/b"
    for path in ("/c//d", "/a//x"):
        with pytest.raises(NotFound):
            urls.match(path, "GET")
    urls.merge_slashes = False
    with pytest.raises(NotFound):
        urls.match("/a///b", "GET")


def test_slashes_in_front_are_one_slash_and_never_a_host() -> None:
    urls = Map([Rule("/a/", endpoint="a")])
    assert endpoint(urls, "//a/") == "a"
    with pytest.raises(Redirection) as caught:
        urls.match("//a", "GET")
    assert caught.value.path == "/a/"


@pytest.mark.parametrize("path", ["*", "a", "", "http://example.com/a"])
def test_a_path_without_a_slash_in_front_is_no_accident(path: str) -> None:
    urls = Map([Rule("/b", endpoint="b"), Rule("/a", endpoint="a")])
    if path == "a":
        assert endpoint(urls, path) == "a"
    else:
        with pytest.raises(NotFound):
            urls.match(path, "GET")


def test_websockets_and_requests_do_not_share_rules() -> None:
    urls = Map(
        [
            Rule("/live", endpoint="socket", websocket=True),
            Rule("/live", endpoint="page", methods=["GET"]),
            Rule("/only/<x>", endpoint="only", websocket=True),
        ]
    )
    assert endpoint(urls, "/live") == "page"
    assert endpoint(urls, "/live", websocket=True) == "socket"
    assert endpoint(urls, "/only/1", websocket=True) == "only"
    with pytest.raises(WebsocketMismatch):
        urls.match("/only/1", "GET")


def test_a_converter_with_slashes_in_its_expression_takes_several_segments() -> None:
    class Date(BaseConverter):
        regex = r"\d{4}/\d\d"

    assert not Date.part_isolating
    urls = Map([Rule("/<date:d>/<x>", endpoint="d")], converters={"date": Date})
    assert urls.match("/2026/11/a", "GET")[1] == {"d": "2026/11", "x": "a"}


def test_a_path_may_hold_a_line_feed() -> None:
    urls = Map([Rule("/<path:p>", endpoint="p"), Rule("/s/<s>", endpoint="s")])
    assert urls.match("/a\nb/c", "GET")[1] == {"p": "a\nb/c"}
    assert urls.match("/s/a\nb", "GET")[1] == {"s": "a\nb"}


@pytest.mark.parametrize("methods", [None, ["GET"]])
def test_a_path_takes_what_is_left_but_no_slash_in_front(methods: list[str] | None) -> None:
    urls = Map(
        [
            Rule("/s/<path:p>", endpoint="path", methods=methods),
            Rule("/s/<int:i>", endpoint="int", methods=methods),
            Rule("/<a>/<int:b>/<path:p>", endpoint="three", methods=methods),
        ]
    )
    assert urls.match("/s/css/a.css", "GET")[1] == {"p": "css/a.css"}
    assert urls.match("/s/7", "GET")[1] == {"i": 7}
    assert urls.match("/s/7/", "GET")[1] == {"p": "7/"}
    assert urls.match("/a/7/b/c//", "GET")[1] == {"a": "a", "b": 7, "p": "b/c//"}
    with pytest.raises(NotFound):
        urls.match("/s/", "GET")
    with pytest.raises(Redirection) as caught:
        urls.match("/s//a", "GET")
    assert caught.value.path == "/s/a"


def encoded(raw: bytes) -> str:
    from urllib.parse import unquote_to_bytes

    return route_path(unquote_to_bytes(raw).decode(errors="replace"), raw)


def test_an_encoded_slash_does_not_end_a_segment() -> None:
    urls = Map(
        [
            Rule("/<a>", endpoint="one"),
            Rule("/<a>/<b>", endpoint="two"),
            Rule("/<path:p>/edit", endpoint="path"),
            Rule("/v-<a>", endpoint="mixed"),
        ]
    )
    assert urls.match(encoded(b"/a%2Fb"), "GET")[1] == {"a": "a/b"}
    assert urls.match(encoded(b"/a%2fb/c"), "GET")[1] == {"a": "a/b", "b": "c"}
    assert urls.match(encoded(b"/a%2Fb/c/edit"), "GET")[1] == {"p": "a/b/c"}
    assert urls.match(encoded(b"/v-a%2Fb"), "GET")[1] == {"a": "a/b"}


@pytest.mark.parametrize(
    "raw", [b"/%2Fetc%2Fpasswd", b"/..%2F..%2Fetc", b"/a%2F..", b"/a%2F%2E%2E%2Fb", b"/%2f"]
)
@pytest.mark.parametrize("rule", ["/<a>", "/<path:a>"])
def test_an_encoded_slash_never_makes_a_value_that_climbs(raw: bytes, rule: str) -> None:
    with pytest.raises(NotFound):
        Map([Rule(rule, endpoint="x")]).match(encoded(raw), "GET")


def test_an_encoded_slash_survives_a_redirect() -> None:
    urls = Map([Rule("/<a>/", endpoint="a")])
    adapter = urls.bind("example.com")
    from kolben.routing import RequestRedirect

    with pytest.raises(RequestRedirect) as caught:
        adapter.match(encoded(b"/a%2Fb%25"))
    assert caught.value.new_url == "http://example.com/a%2Fb%25/"


# What a match costs, counted in calls, which say the same on every machine.

SHAPES: dict[str, tuple[Callable[[int], str], Callable[[int], str]]] = {
    "static": (lambda i: f"/s{i}/a", lambda i: f"/s{i}/a"),
    "dynamic": (lambda i: f"/r{i}/<int:id>/x", lambda i: f"/r{i}/12/x"),
    "behind a placeholder": (lambda i: f"/<int:id>/r{i}", lambda i: f"/12/r{i}"),
    "string behind": (lambda i: f"/<a>/<b>/r{i}", lambda i: f"/1/2/r{i}"),
    "prefix": (lambda i: f"/p{i}-<name>", lambda i: f"/p{i}-x"),
    "suffix": (lambda i: f"/<name>-s{i}.json", lambda i: f"/x-s{i}.json"),
    "words": (lambda i: f"/<any(w{i}, v{i}):word>", lambda i: f"/v{i}"),
    "path": (lambda i: f"/d{i}/<path:p>", lambda i: f"/d{i}/a/b"),
    "path and prefix": (lambda i: f"/d{i}-<path:p>/edit", lambda i: f"/d{i}-a/b/edit"),
    "missing slash": (lambda i: f"/m{i}/<int:id>/", lambda i: f"/m{i}/1"),
    "not found": (lambda i: f"/r{i}/<int:id>/x", lambda i: f"/r{i}/12/y"),
    "nothing like it": (lambda i: f"/<a>/<int:b>/r{i}", lambda i: f"/a/7/x{i}"),
    "not allowed": (lambda i: f"/<int:id>/r{i}", lambda i: f"/12/r{i}"),
    "subdomain": (lambda i: f"/r{i}/<int:id>", lambda i: f"/r{i}/12"),
}


def calls(work: Callable[[], Any]) -> int:
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.collect()
    gc.disable()  # what it frees may call something
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def work_of_a_match(shape: str, count: int) -> int:
    rule, path = SHAPES[shape]
    kwargs: dict[str, Any] = {"subdomain": "<tenant>"} if shape == "subdomain" else {}
    # Two digits more than any number of rules, so that all paths are equally long.
    numbers = range(100_000, 100_000 + count)
    urls = Map([Rule(rule(i), endpoint=i, methods=["GET"], **kwargs) for i in numbers])
    urls.compile()
    method = "POST" if shape == "not allowed" else "GET"
    host = "acme" if shape == "subdomain" else None

    def match() -> None:
        try:
            urls.match(path(numbers[-1]), method, host)
        except (NotFound, MethodNotAllowed, Redirection):
            pass

    match()  # some regular expressions are compiled at their first match
    return calls(match)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_number_of_routes_does_not_matter(shape: str) -> None:
    few, many = work_of_a_match(shape, 20), work_of_a_match(shape, 2_000)
    assert few == many
    assert many < 120


def test_a_plain_match_makes_a_handful_of_calls() -> None:
    assert work_of_a_match("static", 100) <= 7
    assert work_of_a_match("dynamic", 100) <= 9


def test_long_paths_take_work_in_proportion() -> None:
    urls = Map(
        [
            Rule("/<a>/<b>/c", endpoint=1),
            Rule("/<path:a>/x/<path:b>/y/<path:c>/z", endpoint=2),
            Rule("/<a>-<b>-<c>.json", endpoint=3),
        ]
    )
    urls.compile()

    def work(length: int) -> int:
        def match() -> None:
            for path in ("/a" * length, "/" * length, "/-" * length, "/x/y" * length):
                with pytest.raises((NotFound, Redirection)):
                    urls.match(path, "GET")

        match()
        return calls(match)

    short, long = work(500), work(1_000)
    assert long < 2.2 * short
