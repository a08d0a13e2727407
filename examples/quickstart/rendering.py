from kolben import Kolben, render_template

app = Kolben(__name__)


@app.route("/user/<name>")
def user(name):
    return render_template("user.html", user=name)


@app.route("/user-async/<name>")
async def user_async(name):
    return render_template("user.html", user=name)
