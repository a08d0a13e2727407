"""What scripts of other sites may read."""

import re

from kolben import Blueprint, Kolben
from kolben.middleware import CORS, cors

app = Kolben(__name__)

# [app]
app.add_middleware(
    CORS,
    origins=["https://example.com", re.compile(r"https://\w+\.example\.com")],
    allow_headers=["Authorization"],
    credentials=True,
)
# [/app]


# [blueprint]
api = Blueprint("api", __name__, url_prefix="/api")
api.middleware(cors(origins="https://partner.example"))


@api.get("/orders")
async def orders():
    return {"orders": []}


# [/blueprint]
app.register_blueprint(api)


# [route]
@app.get("/status", middleware=[cors(origins="*")])
def status():
    return {"up": True}


# [/route]


@app.get("/account")
def account():
    return {"name": "Ada"}
