"""The application on the first page."""

from kolben import Kolben, request

app = Kolben(__name__)


@app.get("/")
def index():
    return "Hello, World!"


@app.post("/greet")
async def greet():
    return {"greeting": f"Hello, {request.form['name']}!"}
