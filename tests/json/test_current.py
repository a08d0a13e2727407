from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import kolben.json as kjson
from kolben.json import current
from kolben.json.provider import DefaultJSONProvider, JSONProvider


class Loud(DefaultJSONProvider):
    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return super().dumps(obj, **kwargs).upper()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return ["loud", super().loads(s, **kwargs)]

    def response(self, *args: Any, **kwargs: Any) -> Any:
        return ("response", args, kwargs)


class App:
    pass


@pytest.fixture
def active() -> Iterator[JSONProvider]:
    before = current._find
    app = App()
    provider = Loud(app)
    current.provided_by(lambda: provider)
    yield provider
    current.provided_by(before)


@pytest.fixture
def nobody() -> Iterator[None]:
    before = current._find
    current.provided_by(lambda: None)
    yield
    current.provided_by(before)


@pytest.mark.usefixtures("nobody")
def test_without_an_application_it_is_json_with_the_extra_types() -> None:
    assert kjson.dumps({"b": Decimal(1), "a": 1}) == '{"b": "1", "a": 1}'
    assert kjson.dumps({"a": [1]}, separators=(",", ":")) == '{"a":[1]}'
    assert kjson.loads(b"[1]") == [1]
    file = io.StringIO()
    kjson.dump([1], file)
    assert file.getvalue() == "[1]"
    assert kjson.load(io.BytesIO(b"[1]")) == [1]
    with pytest.raises(ValueError, match="Out of range"):
        kjson.dumps(float("nan"))


@pytest.mark.usefixtures("nobody")
def test_jsonify_without_an_application_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"with app\.app_context\(\)"):
        kjson.jsonify(1)


@pytest.mark.usefixtures("active")
def test_the_active_application_decides() -> None:
    assert kjson.dumps("a") == '"A"'
    assert kjson.loads("1") == ["loud", 1]
    assert kjson.load(io.StringIO("1")) == ["loud", 1]
    file = io.StringIO()
    kjson.dump("a", file)
    assert file.getvalue() == '"A"'
    assert kjson.jsonify(1, 2) == ("response", (1, 2), {})
    assert kjson.jsonify(a=1) == ("response", (), {"a": 1})
