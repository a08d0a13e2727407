"""The order of a request as an application that writes down what happens to it.

The page ``lifecycle`` shows this file; the tests run it. For each of the paths in ``ORDERS``, a
request makes ``steps`` what ``ORDERS`` says.
"""

from kolben import (
    Blueprint,
    Kolben,
    after_this_request,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
)

steps = []

# [application]
app = Kolben(__name__)
outer = Blueprint("outer", __name__)
inner = Blueprint("inner", __name__)

for scope in (app, outer, inner):

    @scope.url_value_preprocessor
    def preprocess(endpoint, values, name=scope.name):
        steps.append(f"url_value_preprocessor of {name}")

    @scope.before_request
    def before(name=scope.name):
        steps.append(f"before_request of {name}")

    @scope.before_request
    async def before_again(name=scope.name):
        steps.append(f"before_request of {name}, async")

    @scope.after_request
    async def after(response, name=scope.name):
        steps.append(f"after_request of {name}, async")
        return response

    @scope.after_request
    def after_again(response, name=scope.name):
        steps.append(f"after_request of {name}")
        return response

    @scope.teardown_request
    def teardown(error, name=scope.name):
        steps.append(f"teardown_request of {name}, error: {error!r}")


@app.teardown_appcontext
async def teardown_appcontext(error):
    steps.append(f"teardown_appcontext, error: {error!r}")


# [/application]


# [views]
def view():
    steps.append("view")

    @after_this_request
    async def after_view(response):
        steps.append("after_this_request")
        return response

    return "answer"


async def view_async():
    return view()


def refused():
    raise AssertionError("the hook answers before this view is called")


def failing():
    steps.append("view")
    raise LookupError("gone")


def broken():
    steps.append("view")
    raise ZeroDivisionError("broken")


inner.add_url_rule("/def", view_func=view)
inner.add_url_rule("/async", view_func=view_async)
inner.add_url_rule("/refused", view_func=refused)
inner.add_url_rule("/failing", view_func=failing)
inner.add_url_rule("/broken", view_func=broken)


@outer.before_request
def refuse():
    from kolben import request

    if request.path == "/refused":
        steps.append("a hook returns a response")
        return "refused", 403


@inner.errorhandler(LookupError)
def handle(error):
    steps.append("errorhandler")
    return "handled", 404


# [/views]

outer.register_blueprint(inner)
app.register_blueprint(outer)

# Blinker keeps weak references only: what listens has to be kept by somebody else.
listeners = {}
for signal in (
    appcontext_pushed,
    request_started,
    got_request_exception,
    request_finished,
    request_tearing_down,
    appcontext_tearing_down,
    appcontext_popped,
):

    def listen(sender, name=signal.name, **extra):
        steps.append(f"signal {name.replace('-', '_')}")

    listeners[signal] = signal.connect(listen, sender=app)

# [hooks]
BEFORE = [
    "signal appcontext_pushed",
    "signal request_started",
    "url_value_preprocessor of lifecycle_example",
    "url_value_preprocessor of outer",
    "url_value_preprocessor of inner",
    "before_request of lifecycle_example",
    "before_request of lifecycle_example, async",
    "before_request of outer",
    "before_request of outer, async",
]
INNERMOST = [
    "before_request of inner",
    "before_request of inner, async",
]
AFTER = [
    "after_request of inner",
    "after_request of inner, async",
    "after_request of outer",
    "after_request of outer, async",
    "after_request of lifecycle_example",
    "after_request of lifecycle_example, async",
    "signal request_finished",
]
# [/hooks]


# [teardown]
def torn_down(error):
    return [
        f"teardown_request of inner, error: {error!r}",
        f"teardown_request of outer, error: {error!r}",
        f"teardown_request of lifecycle_example, error: {error!r}",
        "signal request_tearing_down",
        f"teardown_appcontext, error: {error!r}",
        "signal appcontext_tearing_down",
        "signal appcontext_popped",
    ]


# [/teardown]


# [orders]
ORDERS = {
    "/def": [*BEFORE, *INNERMOST, "view", "after_this_request", *AFTER, *torn_down(None)],
    "/async": [*BEFORE, *INNERMOST, "view", "after_this_request", *AFTER, *torn_down(None)],
    "/refused": [*BEFORE, "a hook returns a response", *AFTER, *torn_down(None)],
    "/failing": [*BEFORE, *INNERMOST, "view", "errorhandler", *AFTER, *torn_down(None)],
    "/broken": [
        *BEFORE,
        *INNERMOST,
        "view",
        "signal got_request_exception",
        *AFTER,
        *torn_down(ZeroDivisionError("broken")),
    ],
}
# [/orders]
