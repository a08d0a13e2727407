from kolben import Kolben, jsonify, request

app = Kolben(__name__)


@app.route("/api/data")
def data():
    return jsonify({"name": "Kolben", "version": 1})


@app.route("/api/me")
async def me():
    return {"username": "ada", "theme": "dark"}


@app.route("/api/users")
def users():
    return [{"name": name} for name in ("ada", "bob")]


@app.route("/api/echo", methods=["POST"])
async def echo():
    return jsonify(received=request.get_json()), 201
