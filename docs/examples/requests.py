"""What a view reads from its request."""

from kolben import Kolben, request

app = Kolben(__name__)


# [query]
@app.get("/search")
def search():
    words = request.args.get("q", "")
    page = request.args.get("page", 1, type=int)
    tags = request.args.getlist("tag")
    return {"words": words, "page": page, "tags": tags}


# [/query]


# [form]
@app.post("/sign-up")
async def sign_up():
    name = request.form["name"]
    picture = request.files.get("picture")
    size = len(picture.read()) if picture else 0
    return {"name": name, "picture": picture and picture.filename, "size": size}


# [/form]


# [json]
@app.post("/double")
async def double():
    data = request.get_json()
    return {"doubled": [number * 2 for number in data["numbers"]]}


# [/json]


# [stream]
@app.post("/measure", stream=True, max_content_length=None)
async def measure():
    size = 0
    async for chunk in request.stream:
        size += len(chunk)
    return {"size": size}


@app.post("/measure-in-a-thread", stream=True, max_content_length=None)
def measure_in_a_thread():
    return {"size": sum(len(chunk) for chunk in request.stream)}


# [/stream]


# [limit]
@app.post("/avatar", max_content_length=64 * 1024)
def avatar():
    return {"size": len(request.data)}


# [/limit]
