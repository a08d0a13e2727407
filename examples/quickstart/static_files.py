from kolben import Kolben, url_for

app = Kolben(__name__)


@app.route("/")
def index():
    return f'<link rel="stylesheet" href="{url_for("static", filename="style.css")}">'
