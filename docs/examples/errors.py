"""Errors, and what is answered."""

from kolben import Kolben, abort
from kolben.exceptions import HTTPException

app = Kolben(__name__)


# [abort]
@app.get("/users/<int:user_id>")
async def user(user_id):
    if user_id > 100:
        abort(404, "There is no such user.")
    return {"id": user_id}


# [/abort]


# [handlers]
class OutOfStock(Exception):
    """Raised deep inside the program; it knows nothing of HTTP."""


@app.errorhandler(OutOfStock)
def out_of_stock(error):
    return {"error": f"{error} is out of stock"}, 409


@app.errorhandler(HTTPException)
async def as_json(error):
    return {"error": error.description}, error.code


@app.get("/order/<thing>")
def order(thing):
    raise OutOfStock(thing)


# [/handlers]
