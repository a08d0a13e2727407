"""Rules, converters, building URLs."""

from markupsafe import escape

from kolben import Kolben, redirect, url_for
from kolben.routing import BaseConverter

app = Kolben(__name__)


# [variables]
@app.get("/users/<name>")
def user(name):
    return f"user {escape(name)}"


@app.get("/posts/<int:post_id>")
def post(post_id):
    return f"post {post_id}"


@app.get("/files/<path:name>")
def file(name):
    return f"file {escape(name)}"


@app.get("/<any(en, de):language>/about")
def about(language):
    return f"about, in {language}"


# [/variables]


# [converter]
class ListConverter(BaseConverter):
    """``red+green`` in a URL is ``["red", "green"]`` in the view."""

    def to_python(self, value):
        return value.split("+")

    def to_url(self, value):
        return "+".join(super(ListConverter, self).to_url(item) for item in value)


app.url_map.converters["list"] = ListConverter


@app.get("/colours/<list:names>")
def colours(names):
    return {"colours": names}


# [/converter]


# [build]
@app.get("/latest")
def latest():
    return redirect(url_for("post", post_id=7, page=2, _anchor="comments"))


# [/build]


# [slashes]
@app.get("/projects/")
def projects():
    return "projects"


@app.get("/contact")
def contact():
    return "contact"


# [/slashes]


# [pages]
@app.get("/pages/", defaults={"page": 1})
@app.get("/pages/<int:page>")
def pages(page):
    return f"page {page}"


# [/pages]
