"""Templates."""

from kolben import Kolben, render_template, render_template_async, stream_template

app = Kolben(__name__)


# [render]
@app.get("/hello/<name>")
def hello(name):
    return render_template("hello.html", name=name)


@app.get("/hello-async/<name>")
async def hello_async(name):
    return render_template("hello.html", name=name)


# [/render]


# [stream]
@app.get("/numbers")
def numbers():
    return stream_template("numbers.html", numbers=range(3))


# [/stream]


# [await]
async def load_numbers():
    return [4, 5, 6]


@app.get("/awaited")
async def awaited():
    return await render_template_async("awaited.html", load_numbers=load_numbers)


# [/await]


# [register]
@app.template_filter("shout")
def shout(text):
    return text.upper() + "!"


@app.context_processor
async def site():
    return {"site_name": "Example"}


# [/register]
