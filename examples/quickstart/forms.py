from kolben import Kolben, render_template, request

app = Kolben(__name__)


@app.route("/")
def form():
    return render_template("form.html")


@app.route("/submit", methods=["POST"])
def submit():
    return f"Data received: {request.form['data']}"


@app.route("/submit-async", methods=["POST"])
async def submit_async():
    return f"Data received: {request.form['data']}"


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "POST":
        return f"Logging in {request.form['username']}"
    return f"Hello, {request.args.get('name', 'stranger')}"
