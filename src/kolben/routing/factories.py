"""Factories: many rules with something in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from string import Template
from typing import Any

from .rule import Rule, RuleFactory


class Subdomain(RuleFactory):
    """The rules, on a subdomain.

    :param subdomain: Its pattern.
    :param rules: Rules, or factories.
    :source: Werkzeug: the same.
    """

    def __init__(self, subdomain: str, rules: Iterable[RuleFactory]) -> None:
        self.subdomain = subdomain
        self.rules = rules

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Copies of the rules."""
        for rule in _copies(self.rules, map):
            rule.subdomain = self.subdomain
            yield rule


class Submount(RuleFactory):
    """The rules, below a path.

    :param path: The prefix of their paths; a slash at its end does not matter.
    :param rules: Rules, or factories.
    :source: Werkzeug: the same.
    """

    def __init__(self, path: str, rules: Iterable[RuleFactory]) -> None:
        self.path = path.rstrip("/")
        self.rules = rules

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Copies of the rules."""
        for rule in _copies(self.rules, map):
            rule.rule = self.path + rule.rule
            yield rule


class EndpointPrefix(RuleFactory):
    """The rules, with a prefix to their endpoints, which must be strings.

    :param prefix: As it should stand: ``"blog."``.
    :param rules: Rules, or factories.
    :source: Werkzeug: the same.
    """

    def __init__(self, prefix: str, rules: Iterable[RuleFactory]) -> None:
        self.prefix = prefix
        self.rules = rules

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Copies of the rules."""
        for rule in _copies(self.rules, map):
            rule.endpoint = self.prefix + rule.endpoint
            yield rule


class RuleTemplate:
    """Rules with ``$name`` variables, filled in at each call.

    >>> resource = RuleTemplate([Rule("/$name/", endpoint="$name.list")])
    >>> [rule.endpoint for rule in resource(name="user").get_rules(None)]
    ['user.list']

    Variables may stand in path, endpoint, subdomain, host, and defaults.

    :param rules: Rules, or factories.
    :source: Werkzeug: the same; it loses some attributes of the rules.
    """

    def __init__(self, rules: Iterable[RuleFactory]) -> None:
        self.rules = list(rules)

    def __call__(self, *args: Any, **kwargs: Any) -> RuleTemplateFactory:
        """The factory for these values of the variables: a mapping, keywords, or both."""
        return RuleTemplateFactory(self.rules, dict(*args, **kwargs))


class RuleTemplateFactory(RuleFactory):
    """What a :class:`RuleTemplate` gives when it is called.

    :param rules: Rules, or factories.
    :param context: The values of the variables.
    """

    def __init__(self, rules: Iterable[RuleFactory], context: Mapping[str, Any]) -> None:
        self.rules = rules
        self.context = context

    def get_rules(self, map: Any) -> Iterator[Rule]:
        """Copies of the rules, filled in."""
        for factory in self.rules:
            for rule in factory.get_rules(map):
                kwargs = rule.get_empty_kwargs()
                for name in ("endpoint", "subdomain", "host", "redirect_to"):
                    kwargs[name] = self._fill(kwargs[name])
                if rule.defaults:
                    kwargs["defaults"] = {
                        name: self._fill(value) for name, value in rule.defaults.items()
                    }
                yield type(rule)(self._fill(rule.rule), **kwargs)

    def _fill(self, value: Any) -> Any:
        return Template(value).substitute(self.context) if isinstance(value, str) else value


def _copies(rules: Iterable[RuleFactory], map: Any) -> Iterator[Rule]:
    for factory in rules:
        for rule in factory.get_rules(map):
            yield rule.empty()
