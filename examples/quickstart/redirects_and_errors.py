from kolben import Kolben, abort, redirect, render_template, url_for

app = Kolben(__name__)


@app.route("/")
def index():
    return redirect(url_for("login"))


@app.route("/login")
async def login():
    abort(401)


@app.errorhandler(404)
def page_not_found(error):
    return render_template("page_not_found.html"), 404


@app.errorhandler(401)
async def unauthorized(error):
    return {"error": error.name}, 401
