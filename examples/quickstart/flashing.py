from kolben import Kolben, flash, redirect, render_template, url_for

app = Kolben(__name__)
app.secret_key = "replace this by something long and random"


@app.route("/")
def index():
    return render_template("index.html")


@app.route("/save")
def save():
    flash("Your changes are saved.")
    return redirect(url_for("index"))
