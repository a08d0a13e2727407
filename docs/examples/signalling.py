"""Signals."""

from kolben import Kolben, request, request_started
from kolben.signals import Namespace

app = Kolben(__name__)

# [receive]
seen = []


@request_started.connect_via(app)
async def note(sender, **extra):
    seen.append(request.path)


# [/receive]

# [own]
signals = Namespace()
ordered = signals.signal("ordered")


@app.post("/order")
def order():
    ordered.send(app, thing=request.form["thing"])
    return "ordered"


# [/own]


@app.get("/")
def index():
    return "Hello"
