from kolben import Kolben, make_response, request

app = Kolben(__name__)


@app.route("/")
def index():
    return f"Hello, {request.cookies.get('username', 'stranger')}"


@app.route("/remember/<username>")
async def remember(username):
    response = make_response("I will remember you")
    response.set_cookie("username", username, max_age=3600, httponly=True)
    return response


@app.route("/forget")
def forget():
    response = make_response("Who are you?")
    response.delete_cookie("username")
    return response
