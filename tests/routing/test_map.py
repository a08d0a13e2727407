"""The map: registration, the table of static paths, compilation, threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kolben.exceptions import BadHost, NotFound
from kolben.routing import Map, Rule, Submount
from kolben.routing.map import encode_host


def test_the_table_of_static_paths_holds_what_needs_no_search() -> None:
    urls = Map(
        [
            Rule("/", endpoint="index", methods=["GET"]),
            Rule("/a/b/", endpoint="get", methods=["GET"]),
            Rule("/a/b/", endpoint="post", methods=["POST"]),
            Rule("/a/b/", endpoint="late", methods=["POST", "PUT"]),
            Rule("/every", endpoint="every"),
            Rule("/dynamic/<x>", endpoint="dynamic", methods=["GET"]),
            Rule("/live", endpoint="live", websocket=True, methods=["GET"]),
            Rule("/built", endpoint="built", build_only=True, methods=["GET"]),
            Rule("/default", endpoint="d", defaults={"x": 1}, methods=["GET"]),
            Rule("/gone", endpoint="gone", redirect_to="/", methods=["GET"]),
            Rule("/alias", endpoint="index", alias=True, methods=["GET"]),
            Rule("/sub", endpoint="sub", subdomain="api", methods=["GET"]),
            Rule("/double//slash", endpoint="merged", methods=["GET"]),
        ]
    )
    urls.compile()
    table = {
        path: {method: rule.endpoint for method, rule in methods.items()}
        for path, methods in urls.static.items()
        if methods
    }
    assert table == {
        "/": {"GET": "index", "HEAD": "index"},
        "/a/b/": {"GET": "get", "HEAD": "get", "POST": "post", "PUT": "late"},
        "/double/slash": {"GET": "merged", "HEAD": "merged"},
    }
    for path, methods in urls.static.items():
        for method, rule in methods.items():
            assert urls.match(path, method) == (rule, {})
    assert urls.match("/every", "PATCH")[0].endpoint == "every"
    assert urls.match("/default", "GET")[1] == {"x": 1}


def test_rules_can_be_added_after_the_first_match() -> None:
    urls = Map([Rule("/a", endpoint="a", methods=["GET"])])
    static = urls.static
    urls.compile()
    assert static["/a"]["GET"].endpoint == "a"
    urls.add(Rule("/<x>", endpoint="x", methods=["GET"]))
    assert static == {}, "the gateway asks match again until the rules are compiled"
    assert urls.match("/b", "GET")[0].endpoint == "x"
    assert static["/a"]["GET"].endpoint == "a"


def test_compiling_again_changes_nothing() -> None:
    urls = Map([Rule("/a", endpoint="a")])
    urls.compile()
    match = urls.match
    urls.compile()
    urls.update()
    assert urls.match == match


def test_a_rule_that_fails_to_bind_leaves_the_map_and_itself_as_they_were() -> None:
    urls = Map([Rule("/a", endpoint="a")])
    rule = Rule("/<nope:x>", endpoint="x")
    with pytest.raises(LookupError):
        urls.add(rule)
    assert [rule.endpoint for rule in urls.iter_rules()] == ["a"]
    assert urls.match("/a", "GET")[0].endpoint == "a"
    assert rule.map is None


def test_a_rule_belongs_to_one_map() -> None:
    rule = Rule("/a", endpoint="a")
    urls = Map([rule])
    with pytest.raises(RuntimeError, match="already bound"):
        Map([rule])
    other = Map([rule.empty()])
    assert other.match("/a", "GET")[0].endpoint == "a"
    assert rule.map is urls


def test_iter_rules_and_is_endpoint_expecting() -> None:
    urls = Map(
        [
            Rule("/<lang>/a", endpoint="a"),
            Rule("/b", endpoint="b", defaults={"page": 1}),
            Rule("/a", endpoint="a"),
        ]
    )
    assert [str(rule) for rule in urls.iter_rules("a")] == ["/<lang>/a", "/a"]
    assert {rule.endpoint for rule in urls.iter_rules()} == {"a", "b"}
    assert urls.is_endpoint_expecting("a", "lang")
    assert urls.is_endpoint_expecting("b", "page")
    assert not urls.is_endpoint_expecting("b", "page", "lang")
    for call in (urls.iter_rules, urls.is_endpoint_expecting):
        with pytest.raises(KeyError):
            call("missing")


def test_whether_domains_matter() -> None:
    assert not Map([Rule("/", endpoint="x")], default_subdomain="www").uses_domains
    assert Map([Rule("/", endpoint="x", subdomain="api")]).uses_domains
    assert Map([Rule("/", endpoint="x", host="a.org")], host_matching=True).uses_domains


def test_the_default_subdomain_is_that_of_rules_and_requests_without_one() -> None:
    urls = Map(
        [Rule("/", endpoint="www"), Rule("/", endpoint="api", subdomain="api")],
        default_subdomain="www",
    )
    assert urls.match("/", "GET")[0].endpoint == "www"
    assert urls.match("/", "GET", "api")[0].endpoint == "api"
    with pytest.raises(NotFound):
        urls.match("/", "GET", "other")
    adapter = urls.bind("example.com")
    assert adapter.build("www") == "/"
    assert adapter.build("api") == "http://api.example.com/"


def test_placeholders_in_domains() -> None:
    urls = Map(
        [
            Rule("/<int:id>", endpoint="tenant", subdomain="<name>.t"),
            Rule("/<int:id>", endpoint="fixed", subdomain="a.t"),
            Rule("/<int:id>", endpoint="none"),
        ]
    )
    assert urls.match("/1", "GET", "b.t") == (
        next(urls.iter_rules("tenant")),
        {"name": "b", "id": 1},
    )
    assert urls.match("/1", "GET", "a.t")[0].endpoint == "fixed"
    assert urls.match("/1", "GET")[0].endpoint == "none"
    with pytest.raises(NotFound):
        urls.match("/1", "GET", "a.b")
    adapter = urls.bind("example.com", subdomain="b.t")
    assert adapter.build("tenant", {"name": "b", "id": 2}) == "/2"
    assert adapter.build("tenant", {"name": "c", "id": 2}) == "http://c.t.example.com/2"


def test_host_matching_takes_no_subdomain() -> None:
    urls = Map(host_matching=True)
    with pytest.raises(RuntimeError, match="host matching"):
        urls.bind("example.com", subdomain="a")


@pytest.mark.parametrize(
    ("host", "encoded"),
    [
        ("example.com", "example.com"),
        ("example.com:8000", "example.com:8000"),
        ("example.com.", "example.com."),
        ("[::1]:80", "[::1]:80"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("", ""),
    ],
)
def test_hosts_in_ascii(host: str, encoded: str) -> None:
    assert encode_host(host) == encoded


@pytest.mark.parametrize("host", ["a..b", ".a", "x" * 64, "ü..a", "ü" * 64, "\udc80"])
def test_a_broken_host_is_a_bad_request(host: str) -> None:
    with pytest.raises(BadHost):
        Map().bind(host)


def test_names_are_lower_case_in_hosts() -> None:
    assert Map().bind("EXAMPLE.com").server_name == "example.com"


def test_adding_and_matching_at_once() -> None:
    urls = Map([Rule("/0/<int:x>", endpoint=0)])
    failures: list[Any] = []
    done = threading.Event()

    def match() -> None:
        while not done.is_set():
            if urls.match("/0/7", "GET")[1] != {"x": 7}:
                failures.append("wrong match")

    def add(number: int) -> None:
        urls.add(Submount(f"/{number}", [Rule("/<int:x>", endpoint=number)]))
        if urls.match(f"/{number}/1", "GET")[0].endpoint != number:
            failures.append(number)

    with ThreadPoolExecutor(6) as pool:
        watching = pool.submit(match)
        list(pool.map(add, range(1, 60)))
        done.set()
        watching.result()
    assert not failures
    assert {urls.match(f"/{number}/1", "GET")[0].endpoint for number in range(60)} == set(range(60))


def test_the_lock_is_the_users_too() -> None:
    urls = Map()
    with urls.lock:
        urls.add(Rule("/a", endpoint="a"))
        assert urls.match("/a", "GET")[0].endpoint == "a"


def test_repr_names_the_rules() -> None:
    urls = Map([Rule("/<a>", endpoint="x", methods=["GET"], subdomain="s")])
    assert repr(urls) == "Map([<Rule 's|/<a>' (GET, HEAD) -> x>])"
