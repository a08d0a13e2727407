"""Plans: made once for each route, and holding on to nothing."""

from __future__ import annotations

from typing import Any

from kolben import Blueprint, Kolben
from kolben.pipeline.plan import Plan


def plans(app: Kolben) -> dict[str, Plan]:
    return {rule.endpoint: rule.plan for rule in app.url_map.iter_rules() if rule.plan}


def test_a_plan_is_made_when_its_rule_is_first_asked_for() -> None:
    app = Kolben("plans")
    app.add_url_rule("/a", "a", lambda: "")
    app.add_url_rule("/b", "b", lambda: "")
    assert plans(app) == {}
    client = app.test_client()
    client.get("/a")
    assert list(plans(app)) == ["a"]
    plan = plans(app)["a"]
    client.get("/a")
    assert plans(app)["a"] is plan


def test_a_stage_without_steps_is_empty() -> None:
    app = Kolben("plans", static_folder=None)

    @app.get("/")
    async def bare() -> str:
        return ""

    app.test_client().get("/")
    plan = plans(app)["bare"]
    assert plan.preprocess is None
    assert (plan.before, plan.after, plan.teardown, plan.teardown_app) == ((), (), (), ())
    assert not plan.finishes
    assert not plan.tears_down
    assert not plan.hops
    assert not plan.waits
    assert plan.blueprints == ()


def test_only_the_steps_that_apply_are_in_a_plan() -> None:
    app = Kolben("plans")
    bp = Blueprint("bp", __name__, url_prefix="/bp")
    app.before_request(lambda: None)
    bp.before_request(lambda: None)
    bp.teardown_request(lambda error: None)
    bp.add_url_rule("/", "view", lambda: "")
    app.add_url_rule("/", "index", lambda: "")
    app.register_blueprint(bp)
    client = app.test_client()
    client.get("/")
    client.get("/bp/")
    found = plans(app)
    assert len(found["index"].before) == 1
    assert len(found["index"].teardown) == 0
    assert len(found["bp.view"].before) == 2
    assert len(found["bp.view"].teardown) == 1
    assert found["bp.view"].blueprints == ("bp",)


def test_limits_of_route_and_application() -> None:
    app = Kolben("plans")
    app.config["MAX_FORM_PARTS"] = 7

    def view(**values: Any) -> str:
        return ""

    app.add_url_rule("/own", "own", view, max_content_length=5)
    app.add_url_rule("/stream", "stream", view, stream=True)
    client = app.test_client()
    client.get("/own")
    client.get("/stream")
    own, stream = plans(app)["own"], plans(app)["stream"]
    assert own.limits.max_content_length == 5
    assert own.limits.max_form_parts == 7
    assert not own.stream
    assert stream.stream
    assert stream.limits.max_content_length == 16 * 1024 * 1024


def test_options_have_a_plan_of_their_own() -> None:
    app = Kolben("plans")
    app.add_url_rule("/", "auto", lambda: "")
    app.add_url_rule("/own", "own", lambda: "", methods=["OPTIONS"])
    client = app.test_client()
    client.options("/")
    client.options("/own")
    found = plans(app)
    assert found["auto"].options is not None
    assert found["own"].options is None
