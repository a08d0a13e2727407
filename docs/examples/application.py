"""An application made by a factory, with two blueprints."""

from kolben import Blueprint, Kolben, current_app, g

# [blueprint]
api = Blueprint("api", __name__, url_prefix="/api")
items = Blueprint("items", __name__, url_prefix="/items")


@items.before_request
async def find_owner():
    g.owner = "Ada"


@items.get("/<int:item_id>")
async def item(item_id):
    return {"id": item_id, "owner": g.owner}


api.register_blueprint(items)
# [/blueprint]


# [factory]
def create_app(settings=None):
    app = Kolben(__name__)
    app.config.from_mapping(GREETING="Hello")
    app.config.from_mapping(settings or {})
    app.config.from_prefixed_env()
    app.register_blueprint(api)

    @app.get("/")
    def index():
        return current_app.config["GREETING"]

    return app


# [/factory]
