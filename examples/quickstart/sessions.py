from markupsafe import escape

from kolben import Kolben, redirect, request, session, url_for

app = Kolben(__name__)
app.secret_key = "replace this by something long and random"


@app.route("/")
def index():
    if "username" in session:
        return f"Logged in as {escape(session['username'])}"
    return "You are not logged in"


@app.route("/login", methods=["POST"])
async def login():
    session["username"] = request.form["username"]
    return redirect(url_for("index"))


@app.route("/logout")
def logout():
    session.pop("username", None)
    return redirect(url_for("index"))
