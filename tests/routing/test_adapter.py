"""A map bound to a request: redirects and URLs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kolben.exceptions import MethodNotAllowed, NotFound
from kolben.http.datastructures import MultiDict
from kolben.routing import BuildError, Map, MapAdapter, RequestRedirect, Rule, route_path

URLS = [
    Rule("/", endpoint="index", methods=["GET"]),
    Rule("/branch/", endpoint="branch", methods=["GET", "POST"]),
    Rule("/posts/<int:id>", endpoint="post", methods=["GET"]),
    Rule("/posts/<int:id>", endpoint="save", methods=["PUT"]),
    Rule("/list/", endpoint="list", defaults={"page": 1}),
    Rule("/list/<int:page>", endpoint="list"),
    Rule("/live/<room>", endpoint="live", websocket=True),
    Rule("/files/<path:name>", endpoint="file", build_only=True),
]


def adapter(rules: list[Rule] | None = None, **kwargs: Any) -> MapAdapter:
    settings = {"server_name": "example.com", **kwargs}
    return Map([rule.empty() for rule in (URLS if rules is None else rules)]).bind(**settings)


def redirect(bound: MapAdapter, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(RequestRedirect) as caught:
        bound.match(*args, **kwargs)
    assert caught.value.code == 308, "so that the method is kept"
    return caught.value.new_url


def test_match_gives_endpoint_or_rule() -> None:
    bound = adapter(path_info="/posts/7", default_method="put")
    assert bound.match() == ("save", {"id": 7})
    assert bound.match("/posts/8", "get") == ("post", {"id": 8})
    rule, values = bound.match("posts/9", "GET", return_rule=True)
    assert (rule.endpoint, values) == ("post", {"id": 9})


def test_test_and_allowed_methods() -> None:
    bound = adapter()
    assert bound.test("/posts/1")
    assert bound.test("/branch"), "a redirect is a match"
    assert not bound.test("/posts/1", "POST")
    assert not bound.test("/nope")
    assert sorted(bound.allowed_methods("/posts/1")) == ["GET", "HEAD", "PUT"]
    assert bound.allowed_methods("/nope") == []
    assert bound.allowed_methods("/list/2") == [], "its rule is for all methods"


def test_errors() -> None:
    with pytest.raises(NotFound):
        adapter().match("/nope")
    with pytest.raises(MethodNotAllowed) as caught:
        adapter().match("/branch/", "DELETE")
    assert sorted(caught.value.valid_methods or ()) == ["GET", "HEAD", "POST"]


def test_redirects_are_absolute_and_keep_the_query() -> None:
    bound = adapter(script_name="/app", url_scheme="https", query_args="a=1&b=%20")
    assert redirect(bound, "/branch") == "https://example.com/app/branch/?a=1&b=%20"
    assert redirect(bound, "/branch", "POST") == "https://example.com/app/branch/?a=1&b=%20"
    assert redirect(bound, "/list/1", query_args={"q": ["x", "y z"]}) == (
        "https://example.com/app/list/?q=x&q=y+z"
    )
    assert redirect(adapter(), "/branch") == "http://example.com/branch/"
    many: Any = MultiDict([("q", "a"), ("q", "b")])
    assert redirect(adapter(query_args=many), "/branch") == "http://example.com/branch/?q=a&q=b"


def test_a_redirect_never_leaves_the_host() -> None:
    bound = adapter([Rule("/<path:p>/", endpoint="p")])
    for path in ("//evil.org", "/\\evil.org", "/https://evil.org", "///evil.org//x"):
        assert redirect(bound, path).startswith("http://example.com/")


def test_where_the_application_is_mounted_is_encoded_once() -> None:
    assert adapter(script_name="/ä b").build("index") == "/%C3%A4%20b/"
    assert redirect(adapter(script_name="/%C3%A4"), "/branch") == (
        "http://example.com/%C3%A4/branch/"
    )


def test_redirect_to() -> None:
    rules = [
        Rule("/a/<x>", redirect_to="b/<x>"),
        Rule("/typed/<int(fixed_digits=3):x>", redirect_to="/n/<int:x>"),
        Rule("/default/", defaults={"x": "d/e"}, redirect_to="b/<x>"),
        Rule("/out/<x>", redirect_to="https://other.org/<x>"),
        Rule("/call/<int:x>", redirect_to=lambda bound, x: f"{bound.server_name}/{x + 1}"),
    ]
    bound = adapter(rules, script_name="/app", subdomain="")
    assert redirect(bound, "/a/ü") == "http://example.com/app/b/%C3%BC"
    assert redirect(bound, "/typed/007") == "http://example.com/n/007"
    assert redirect(bound, "/default/") == "http://example.com/app/b/d%2Fe"
    assert redirect(bound, "/out/x") == "https://other.org/x"
    assert redirect(bound, "/call/7") == "http://example.com/app/example.com/8"


def test_redirect_to_a_name_that_is_not_there_is_refused_at_registration() -> None:
    with pytest.raises(ValueError, match="no placeholder 'y'"):
        Map([Rule("/<x>", redirect_to="/<y>")])


@pytest.mark.parametrize("target", ["<p>", "/<p>"])
@pytest.mark.parametrize("path", ["https://evil.org", "http:/evil.org", "a//evil.org"])
def test_a_value_of_the_client_never_becomes_the_host_of_a_redirect(target: str, path: str) -> None:
    bound = adapter([Rule("/old/<path:p>", redirect_to=target)])
    assert redirect(bound, f"/old/{path}").startswith("http://example.com/")


def test_an_alias_redirects_to_the_canonical_url() -> None:
    rules = [
        Rule("/u/<int:id>", endpoint="user", alias=True),
        Rule("/users/<int:id>", endpoint="user"),
    ]
    assert redirect(adapter(rules, query_args="a=1"), "/u/7") == "http://example.com/users/7?a=1"
    assert adapter(rules).build("user", {"id": 7}) == "/users/7"


def test_an_alias_of_nothing_is_an_error_that_names_it() -> None:
    with pytest.raises(RuntimeError, match=r"'/u/<int:id>'.*no other rule"):
        adapter([Rule("/u/<int:id>", endpoint="user", alias=True)]).match("/u/7")


def test_urls_are_paths_where_that_is_enough() -> None:
    bound = adapter(script_name="/app")
    assert bound.build("index") == "/app/"
    assert bound.build("post", {"id": 7, "a": None, "b": ["1", "2"], "c": "ü"}) == (
        "/app/posts/7?b=1&b=2&c=%C3%BC"
    )
    assert bound.build("post", {"id": 7, "b": 1}, append_unknown=False) == "/app/posts/7"
    assert bound.build("file", {"name": "a b/c"}) == "/app/files/a%20b/c"
    assert bound.build("index", force_external=True) == "http://example.com/app/"
    assert bound.build("index", force_external=True, url_scheme="https") == (
        "https://example.com/app/"
    )
    assert bound.build("index", force_external=True, url_scheme="") == "//example.com/app/"


def test_websockets_have_urls_of_their_own() -> None:
    assert adapter().build("live", {"room": "a"}) == "ws://example.com/live/a"
    secure = adapter(url_scheme="https")
    assert secure.build("live", {"room": "a"}) == "wss://example.com/live/a"
    bound = adapter(url_scheme="wss")
    assert bound.build("index", force_external=True) == "https://example.com/"
    assert bound.match("/live/x") == ("live", {"room": "x"})
    assert adapter().match("/live/x", websocket=True) == ("live", {"room": "x"})


def test_values_of_a_multidict() -> None:
    values: Any = MultiDict([("id", "7"), ("q", "a"), ("q", "b")])
    assert adapter().build("post", values) == "/posts/7?q=a&q=b"


def test_the_rule_that_fits_values_and_method_builds() -> None:
    bound = adapter()
    assert bound.build("list", {"page": 1}) == "/list/"
    assert bound.build("list") == "/list/"
    assert bound.build("list", {"page": 2}) == "/list/2"
    rules = [
        Rule("/read/<x>", endpoint="e", methods=["GET"]),
        Rule("/write/<x>", endpoint="e", methods=["PUT"]),
        Rule("/other/<x>/<y>", endpoint="e", methods=["GET"]),
    ]
    bound = adapter(rules)
    assert bound.build("e", {"x": 1}) == "/read/1"
    assert bound.build("e", {"x": 1}, method="PUT") == "/write/1"
    assert bound.build("e", {"x": 1, "y": 2}) == "/other/1/2"
    assert adapter(rules, default_method="PUT").build("e", {"x": 1}) == "/write/1"


def test_the_query_can_be_sorted() -> None:
    rules = [Rule("/", endpoint="e")]
    values = {"b": 2, "a": [3, 1]}
    assert Map(rules, sort_parameters=True).bind("x.org").build("e", values) == "/?a=1&a=3&b=2"
    backwards = Map(
        [rules[0].empty()], sort_parameters=True, sort_key=lambda pair: -ord(pair[0][0])
    )
    assert backwards.bind("x.org").build("e", values) == "/?b=2&a=3&a=1"


@pytest.mark.parametrize(
    ("endpoint", "values", "method", "message"),
    [
        ("pots", {}, None, "endpoint 'pots'. Did you mean 'post' instead?"),
        ("post", {}, None, "'post'. Did you forget to specify values ['id']?"),
        ("post", {"x": 1}, None, "with values ['x']. Did you forget to specify values ['id']?"),
        (
            "post",
            {"id": 1},
            "DELETE",
            "('DELETE') with values ['id']. Did you mean to use methods ['GET', 'HEAD']?",
        ),
    ],
)
def test_a_build_error_says_what_to_do(
    endpoint: str, values: dict[str, Any], method: str | None, message: str
) -> None:
    bound = adapter()
    with pytest.raises(BuildError) as caught:
        bound.build(endpoint, values, method)
    error = caught.value
    assert str(error).endswith(message)
    assert (error.endpoint, error.values, error.method) == (endpoint, values, method)
    assert error.adapter is bound
    assert error.suggested is not None
    assert error.suggested.endpoint == "post"
    assert isinstance(error, LookupError)


def test_a_build_error_of_an_empty_map() -> None:
    with pytest.raises(BuildError) as caught:
        Map().bind("x.org").build("e")
    assert caught.value.suggested is None
    assert str(caught.value) == "Could not build url for endpoint 'e'."
    assert BuildError("e", {}, None).suggested is None


def test_dispatch() -> None:
    bound = adapter()
    seen = bound.dispatch(lambda endpoint, values: (endpoint, dict(values)), "/posts/7")
    assert seen == ("post", {"id": 7})
    assert isinstance(bound.dispatch(lambda *_: None, "/branch"), RequestRedirect)
    assert isinstance(
        bound.dispatch(lambda *_: None, "/nope", catch_http_exceptions=True), NotFound
    )
    with pytest.raises(NotFound):
        bound.dispatch(lambda *_: None, "/nope")


def test_get_host() -> None:
    bound = adapter(subdomain="api")
    assert bound.get_host(None) == "api.example.com"
    assert bound.get_host("") == "example.com"
    assert bound.get_host("www") == "www.example.com"
    by_host = Map(host_matching=True).bind("a.org")
    assert (by_host.get_host(None), by_host.get_host("b.org")) == ("a.org", "b.org")


# What matches is built back, and what is built matches.

ROUND = [
    Rule("/s/<x>", endpoint="string"),
    Rule("/i/<int(signed=True):x>", endpoint="int"),
    Rule("/f/<float(signed=True):x>", endpoint="float"),
    Rule("/p/<path:x>/end", endpoint="path"),
    Rule("/u/<uuid:x>", endpoint="uuid"),
    Rule("/a/<any('a b', 'ü', 'c/d', plain):x>", endpoint="any"),
    Rule("/m/<int:x>-<y>.json/<z>/", endpoint="mixed"),
    Rule("/d/<x>", endpoint="sub", subdomain="<name>"),
]
TEXT = st.text(min_size=1).filter(
    lambda text: not text.startswith("/") and ".." not in text.split("/")
)
PLAIN = TEXT.filter(lambda text: "/" not in text)
VALUES = st.one_of(
    st.tuples(st.just("string"), st.fixed_dictionaries({"x": TEXT})),
    st.tuples(st.just("int"), st.fixed_dictionaries({"x": st.integers()})),
    st.tuples(
        st.just("float"),
        st.fixed_dictionaries({"x": st.floats(allow_nan=False, allow_infinity=False)}),
    ),
    st.tuples(st.just("path"), st.fixed_dictionaries({"x": TEXT})),
    st.tuples(st.just("uuid"), st.fixed_dictionaries({"x": st.uuids()})),
    st.tuples(st.just("any"), st.fixed_dictionaries({"x": st.sampled_from(["a b", "ü", "plain"])})),
    st.tuples(
        st.just("mixed"),
        st.fixed_dictionaries({"x": st.integers(0), "y": PLAIN, "z": PLAIN}),
    ),
)


@settings(deadline=None, max_examples=500)
@given(VALUES)
def test_what_is_built_matches_and_is_built_again(case: tuple[str, dict[str, Any]]) -> None:
    from urllib.parse import unquote

    endpoint, values = case
    bound = Map([rule.empty() for rule in ROUND], merge_slashes=False).bind("example.com")
    url = bound.build(endpoint, values)
    assert url.isascii()
    # As a server does it: the path decoded, the raw one beside it.
    path = route_path(unquote(url), url.encode())
    assert bound.match(path) == (endpoint, values)
    assert bound.build(*bound.match(path)) == url
