"""Other applications below prefixes of one."""

from contextlib import asynccontextmanager

import fastapi
import flask

from kolben import Blueprint, Kolben, redirect, url_for

# The applications that are mounted.
shop = Kolben("shop")


@shop.get("/")
def cart():
    return {"cart": [], "pay": url_for("pay")}


@shop.get("/pay")
async def pay():
    return "paid"


@asynccontextmanager
async def lifespan(app):
    yield {"items": ["pen", "ink"]}


api = fastapi.FastAPI(lifespan=lifespan)


@api.get("/items")
async def items(request: fastapi.Request):
    return request.state.items


legacy = flask.Flask("legacy")


@legacy.get("/old/<name>")
def old(name):
    return f"the old page {name}"


# [mount]
app = Kolben(__name__, static_folder=None)

app.mount("/shop", shop)  # Kolben
app.mount("/api", api)  # FastAPI
app.mount("/", legacy)  # Flask, for what nothing else answers
# [/mount]


# [url_for]
@app.get("/buy")
def buy():
    return redirect(url_for("shop.pay"))  # to /shop/pay


# [/url_for]

# [blueprint]
teams = Blueprint("teams", __name__, url_prefix="/teams")
teams.mount("/shop", shop, name="shop")
app.register_blueprint(teams)  # url_for("teams.shop.cart") is /teams/shop/
# [/blueprint]
