"""Rules: their attributes, copies, and the factories that make many of one."""

from __future__ import annotations

from typing import Any

import pytest

from kolben.routing import EndpointPrefix, Map, Rule, RuleFactory, RuleTemplate, Subdomain, Submount


def test_get_brings_head_and_methods_are_upper_case() -> None:
    assert Rule("/", methods=["get"]).methods == {"GET", "HEAD"}
    assert Rule("/", methods=["post"]).methods == {"POST"}
    assert Rule("/").methods is None
    with pytest.raises(TypeError, match="list of strings"):
        Rule("/", methods="GET")


def test_websockets_are_opened_with_get() -> None:
    assert Rule("/", websocket=True, methods=["GET", "OPTIONS"]).websocket
    with pytest.raises(ValueError, match="not POST"):
        Rule("/", websocket=True, methods=["GET", "POST"])


def test_leaves_and_branches() -> None:
    assert (Rule("/a").is_leaf, Rule("/a").is_branch) == (True, False)
    assert (Rule("/a/").is_leaf, Rule("/a/").is_branch) == (False, True)


def test_a_rule_takes_what_it_does_not_say_from_the_map() -> None:
    rule, own = Rule("/<a>"), Rule("/b", strict_slashes=True, merge_slashes=True, subdomain="")
    Map([rule, own], strict_slashes=False, merge_slashes=False, default_subdomain="www")
    assert (rule.strict_slashes, rule.merge_slashes, rule.subdomain) == (False, False, "www")
    assert (own.strict_slashes, own.merge_slashes, own.subdomain) == (True, True, "")


def test_arguments_are_placeholders_and_defaults() -> None:
    rule = Rule("/<a>/<int:b>", defaults={"c": 1}, subdomain="<d>")
    assert rule.arguments == {"c"}
    Map([rule])
    assert rule.arguments == {"a", "b", "c", "d"}


def test_a_copy_keeps_everything_but_the_map() -> None:
    given: dict[str, Any] = {
        "defaults": {"a": 1},
        "subdomain": "s",
        "methods": {"GET", "HEAD"},
        "build_only": True,
        "endpoint": "e",
        "strict_slashes": False,
        "merge_slashes": False,
        "redirect_to": "x",
        "alias": True,
        "host": "h",
        "websocket": True,
    }
    rule = Rule("/x", **given)
    Map([rule])
    copy = rule.empty()
    assert copy.map is None
    assert copy.rule == "/x"
    assert {name: getattr(copy, name) for name in given} == given
    assert copy.defaults is not rule.defaults


def test_a_copy_of_a_subclass_is_one() -> None:
    class Titled(Rule):
        def __init__(self, string: str, title: str = "", **options: Any) -> None:
            super().__init__(string, **options)
            self.title = title

        def get_empty_kwargs(self) -> dict[str, Any]:
            return {**super().get_empty_kwargs(), "title": self.title}

    copy = Titled("/", title="T", endpoint="e").empty()
    assert isinstance(copy, Titled)
    assert (copy.title, copy.endpoint) == ("T", "e")


def test_refresh_reads_the_rule_again() -> None:
    rule = Rule("/<a>", endpoint="e")
    urls = Map([rule])
    rule.rule = "/new/<int:b>"
    rule.refresh()
    assert rule.arguments == {"b"}
    assert urls.bind("x.org").build("e", {"b": 1}) == "/new/1"
    with pytest.raises(RuntimeError, match="bound to no map"):
        Rule("/").refresh()


def test_rules_hold_what_the_floors_above_keep_in_them() -> None:
    rule = Rule("/")
    assert rule.plan is None
    assert rule.provide_automatic_options is None
    rule.plan = object()
    assert len({rule: 1, Rule("/"): 2}) == 2, "rules are keys by identity"


def test_repr() -> None:
    assert repr(Rule("/a")) == "<Rule '/a' (unbound)>"
    rule = Rule("/<a>", endpoint="e", methods=["POST"])
    Map([rule])
    assert repr(rule) == "<Rule '/<a>' (POST) -> e>"
    assert str(rule) == "/<a>"


def rules_of(factory: RuleFactory) -> list[tuple[str, Any, str | None]]:
    urls = Map([factory])
    return [(rule.rule, rule.endpoint, rule.subdomain) for rule in urls.iter_rules()]


def test_factories() -> None:
    rules = [Rule("/", endpoint="index"), Rule("/<a>", endpoint="show", websocket=True)]
    nested = Subdomain("api", [Submount("/v1/", [EndpointPrefix("blog.", rules)])])
    assert rules_of(nested) == [("/v1/", "blog.index", "api"), ("/v1/<a>", "blog.show", "api")]
    copies = list(nested.get_rules(None))
    assert [copy.websocket for copy in copies] == [False, True]
    assert [rule.map for rule in rules] == [None, None], "factories copy"


def test_templates() -> None:
    resource = RuleTemplate(
        [
            Rule("/$name/", endpoint="$name.list", methods=["GET"], strict_slashes=False),
            Rule(
                "/$name/<int:id>",
                endpoint="$name.show",
                defaults={"kind": "$name", "n": 1},
                subdomain="$name",
            ),
            Rule("/old-$name", endpoint=7, redirect_to="$name/"),
        ]
    )
    urls = Map([resource(name="user"), resource({"name": "page"})])
    assert urls.match("/user/", "GET")[0].endpoint == "user.list"
    assert urls.match("/page/7", "GET", "page")[1] == {"id": 7, "kind": "page", "n": 1}
    rule = next(urls.iter_rules("page.list"))
    assert (rule.methods, rule.strict_slashes) == ({"GET", "HEAD"}, False)
    assert [rule.redirect_to for rule in urls.iter_rules(7)] == ["user/", "page/"]


def test_a_factory_must_say_how_to_get_its_rules() -> None:
    with pytest.raises(TypeError, match="does not say how"):
        RuleFactory().get_rules(None)
