from kolben import Kolben, current_app, g, render_template_string

app = Kolben(__name__)


@app.before_request
async def load_user():
    g.user = "ada"


@app.after_request
def add_header(response):
    response.headers["X-App"] = current_app.name
    return response


@app.context_processor
def add_year():
    return {"year": 2026}


@app.teardown_request
async def say_goodbye(error):
    app.logger.info("Goodbye, %s", g.user)


@app.route("/")
def index():
    return render_template_string("Hello, {{ g.user }}, in {{ year }}")


@app.route("/async")
async def index_async():
    return render_template_string("Hello, {{ g.user }}, in {{ year }}")
