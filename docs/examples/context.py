"""The context of a request, and the session."""

import sqlite3

from kolben import Kolben, flash, g, get_flashed_messages, request, session

app = Kolben(__name__)
app.secret_key = (
    "replace this by what `python -c 'import secrets; print(secrets.token_hex())'` says"
)


# [g]
def database():
    if "database" not in g:
        g.database = sqlite3.connect(":memory:")
    return g.database


@app.teardown_appcontext
def close_database(error):
    if opened := g.pop("database", None):
        opened.close()


@app.get("/sum")
def sum_of_two():
    (result,) = database().execute("SELECT 1 + 1").fetchone()
    return {"result": result}


# [/g]


# [session]
@app.post("/log-in")
async def log_in():
    session["user"] = request.form["user"]
    return "logged in"


@app.post("/log-out")
async def log_out():
    session.pop("user", None)
    return "logged out"


@app.get("/me")
def me():
    return {"user": session.get("user")}


# [/session]


# [flash]
@app.post("/save")
def save():
    flash("Saved.")
    return "", 204


@app.get("/messages")
def messages():
    return get_flashed_messages()


# [/flash]
