"""Text of a URL to values, and back."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.exceptions import NotFound
from kolben.routing import (
    BaseConverter,
    BuildError,
    FloatConverter,
    IntegerConverter,
    Map,
    PathConverter,
    Rule,
    UnicodeConverter,
    ValidationError,
)


def values(rule: str, path: str, **kwargs: Any) -> Any:
    """What a rule makes of a path; ``None`` if it does not match."""
    try:
        return Map([Rule(rule, endpoint="x")], **kwargs).match(path, "GET")[1]
    except NotFound:
        return None


def build(rule: str, **given: Any) -> str:
    return Map([Rule(rule, endpoint="x")]).bind("example.com").build("x", given)


@pytest.mark.parametrize(
    ("rule", "path", "expected"),
    [
        ("/<x>", "/ü b", "ü b"),
        ("/<string:x>", "/1", "1"),
        ("/<string(length=2):x>", "/ab", "ab"),
        ("/<string(length=2):x>", "/abc", None),
        ("/<string(minlength=2, maxlength=3):x>", "/a", None),
        ("/<string(minlength=2, maxlength=3):x>", "/abc", "abc"),
        ("/<string(minlength=2, maxlength=3):x>", "/abcd", None),
        ("/<string(2):x>", "/ab", "ab"),
        ("/<int:x>", "/007", 7),
        ("/<int:x>", "/-7", None),
        ("/<int:x>", "/²", None),
        ("/<int:x>", "/1_000", None),
        ("/<int:x>", "/ 1", None),
        ("/<int:x>", "/1\n", None),
        ("/<int(signed=True):x>", "/-7", -7),
        ("/<int(signed=True):x>", "/+7", None),
        ("/<int(fixed_digits=3):x>", "/007", 7),
        ("/<int(fixed_digits=3):x>", "/7", None),
        ("/<int(min=2, max=4):x>", "/1", None),
        ("/<int(min=2, max=4):x>", "/2", 2),
        ("/<int(min=2, max=4):x>", "/5", None),
        ("/<int(min=-4, max=-2, signed=True):x>", "/-3", -3),
        ("/<int(min=0):x>", "/0", 0),
        ("/<float:x>", "/1.50", 1.5),
        ("/<float:x>", "/1", None),
        ("/<float:x>", "/1.", None),
        ("/<float:x>", "/nan", None),
        ("/<float(signed=True):x>", "/-0.5", -0.5),
        ("/<float(min=1.5):x>", "/1.4", None),
        ("/<float(max=2):x>", "/2.0", 2.0),
        ("/<path:x>", "/a/b//c/", "a/b//c/"),
        ("/<path:x>/edit", "/a/edit/edit", "a/edit"),
        ("/<any(a, 'b c', \"d,e\"):x>", "/d,e", "d,e"),
        ("/<any(a, 'b c'):x>", "/b c", "b c"),
        ("/<any(a, 'b c'):x>", "/b", None),
        ("/<any(a, ab):x>", "/ab", "ab"),
        ("/<any('a.c'):x>", "/abc", None),
        ("/<any(1, 2):x>", "/2", "2"),
        (
            "/<uuid:x>",
            "/12345678-1234-5678-1234-56781234ABCD",
            UUID("12345678-1234-5678-1234-56781234abcd"),
        ),
        ("/<uuid:x>", "/12345678123456781234567812345678", None),
    ],
)
def test_what_converters_accept(rule: str, path: str, expected: Any) -> None:
    assert values(rule, path) == (None if expected is None else {"x": expected})


@pytest.mark.parametrize(
    ("rule", "value", "url"),
    [
        ("/<x>", "a b/ü?#%", "/a%20b%2F%C3%BC%3F%23%25"),
        ("/<x>", "!$&'()*+,:;=@-._~", "/!$&'()*+,:;=@-._~"),
        ("/<x>", 7, "/7"),
        ("/<path:x>", "a b/ü", "/a%20b/%C3%BC"),
        ("/<int:x>", "7", "/7"),
        ("/<int(fixed_digits=3):x>", 7, "/007"),
        ("/<float:x>", 2, "/2.0"),
        ("/<float:x>", 1e22, "/10000000000000000000000.0"),
        ("/<float:x>", 1.5e-07, "/0.00000015"),
        ("/<float(signed=True):x>", -1.25e16, "/-12500000000000000.0"),
        ("/<any('b c'):x>", "b c", "/b%20c"),
        ("/<uuid:x>", UUID(int=1), "/00000000-0000-0000-0000-000000000001"),
    ],
)
def test_what_converters_build(rule: str, value: Any, url: str) -> None:
    assert build(rule, x=value) == url


def test_any_refuses_to_build_another_word_and_names_its_own() -> None:
    with pytest.raises(ValueError, match="'c' is not one of 'a', 'b'"):
        build("/<any(b, a):x>", x="c")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_matches_what_it_builds(number: float) -> None:
    converter = FloatConverter(None, signed=True)
    text = converter.to_url(number)
    assert re.fullmatch(converter.regex, text)
    assert converter.to_python(text) == number


@given(st.integers(), st.integers(0, 30))
def test_every_integer_matches_what_it_builds(number: int, digits: int) -> None:
    converter = IntegerConverter(None, fixed_digits=digits, signed=True)
    text = converter.to_url(number)
    assert re.fullmatch(converter.regex, text)
    if not digits or len(text) == digits:
        assert converter.to_python(text) == number


class Listed(BaseConverter):
    """What users write: from Flask's and Werkzeug's documentation."""

    def __init__(self, map: Any, separator: str = "+", sort: bool = False) -> None:
        super().__init__(map)
        self.separator = separator
        self.sort = sort

    def to_python(self, value: str) -> list[str]:
        items = value.split(self.separator)
        if "" in items:
            raise ValidationError
        return sorted(items) if self.sort else items

    def to_url(self, value: list[str]) -> str:
        if not value:
            raise ValidationError
        return self.separator.join(super(Listed, self).to_url(item) for item in value)


class Digits(BaseConverter):
    def __init__(self, map: Any, count: int) -> None:
        super().__init__(map)
        self.regex = rf"\d{{{count}}}"


def test_converters_of_a_users_own() -> None:
    urls = Map(converters={"list": Listed})
    urls.converters["digits"] = Digits
    urls.add(Rule("/l/<list:x>", endpoint="list"))
    urls.add(Rule("/s/<list('-', sort=True):x>/<digits(2):n>", endpoint="sorted"))
    assert urls.match("/l/b+a", "GET")[1] == {"x": ["b", "a"]}
    assert urls.match("/s/b-a/07", "GET")[1] == {"x": ["a", "b"], "n": "07"}
    for path in ("/l/a++b", "/s/a/7", "/s/a/007"):
        with pytest.raises(NotFound):
            urls.match(path, "GET")
    adapter = urls.bind("example.com")
    assert adapter.build("list", {"x": ["a b", "ü"]}) == "/l/a%20b+%C3%BC"
    with pytest.raises(BuildError):
        adapter.build("list", {"x": []})


def test_an_own_default_converter_replaces_the_built_in() -> None:
    class Lower(UnicodeConverter):
        def to_python(self, value: str) -> str:
            return value.lower()

    assert values("/<x>", "/ABC", converters={"default": Lower}) == {"x": "abc"}


def test_a_heavier_converter_is_tried_later() -> None:
    class Light(BaseConverter):
        weight = 10

    urls = Map(
        [Rule("/<int:x>", endpoint="int"), Rule("/<light:x>", endpoint="light")],
        converters={"light": Light},
    )
    assert urls.match("/1", "GET")[0].endpoint == "light"


def test_a_subclass_of_a_built_in_may_have_another_expression() -> None:
    class Hex(IntegerConverter):
        regex = "[0-9a-f]+"

        def to_python(self, value: str) -> int:
            return int(value, 16)

    class Dotted(PathConverter):
        regex = r"\w+(?:\.\w+)*"

    assert Dotted.part_isolating
    urls = Map(
        [Rule("/h/<hex:x>", endpoint="h"), Rule("/d/<dotted:x>/end", endpoint="d")],
        converters={"hex": Hex, "dotted": Dotted},
    )
    assert urls.match("/h/ff", "GET")[1] == {"x": 255}
    assert urls.match("/d/a.b/end", "GET")[1] == {"x": "a.b"}
