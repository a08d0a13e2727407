"""What stands around requests: functions, and ASGI middleware."""

import logging
import time

from kolben import Blueprint, Kolben, abort, g
from kolben.middleware import GZip

app = Kolben(__name__)


# [function]
@app.middleware
async def measure(request, call_next):
    start = time.perf_counter()
    response = await call_next(request)
    seconds = time.perf_counter() - start
    response.headers["Server-Timing"] = f"app;dur={seconds * 1000:.1f}"
    return response


# [/function]


# [blueprint]
admin = Blueprint("admin", __name__, url_prefix="/admin")


@admin.middleware
def only_admins(request, call_next):
    if request.authorization is None:
        abort(401)
    g.user = request.authorization.username
    return call_next(request)


@admin.get("/")
def dashboard():
    return f"Hello, {g.user}"


# [/blueprint]
app.register_blueprint(admin)


# [route]
async def closed_at_night(request, call_next):
    if app.config.get("NIGHT"):
        return {"error": "come back tomorrow"}, 503
    return await call_next(request)


@app.get("/orders", middleware=[closed_at_night])
async def orders():
    return {"orders": []}


# [/route]


# [own]
class AccessLog:
    """Logs each response with its status.

    :param logger: The name of the logger.
    """

    settings = {"logger": "ACCESS_LOGGER"}
    runs_inline = True

    def __init__(self, app, *, logger="access"):
        self.app = app
        self.logger = logging.getLogger(logger)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_and_log(message):
            if message["type"] == "http.response.start":
                self.logger.info("%s %s %d", scope["method"], scope["path"], message["status"])
            await send(message)

        await self.app(scope, receive, send_and_log)


# [/own]

# [add]
app.add_middleware(GZip, minimum_size=1000)
app.add_middleware(AccessLog)
# [/add]

# [config]
app.config["ACCESS_LOGGER"] = "shop.access"
# [/config]

# [wrap]
app.asgi_app = AccessLog(app.asgi_app, logger="outermost")
# [/wrap]
