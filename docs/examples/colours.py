"""Functions of both colours on one route."""

import time
from contextvars import ContextVar

import anyio

from kolben import Kolben, g

app = Kolben(__name__)
locale = ContextVar("locale", default="en")


# [mix]
@app.before_request
async def find_user():
    await anyio.sleep(0.001)  # a query that is awaited
    g.user = "Ada"


@app.before_request
def choose_locale():
    locale.set("de")


@app.get("/thread")
def in_a_thread():
    time.sleep(0.001)  # what blocks belongs in a def view
    return {"user": g.user, "locale": locale.get()}


@app.get("/loop")
async def on_the_loop():
    await anyio.sleep(0.001)
    return {"user": g.user, "locale": locale.get()}


# [/mix]
