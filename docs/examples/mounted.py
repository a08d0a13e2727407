"""One application inside others."""

from django.conf import settings
from django.core.asgi import get_asgi_application
from starlette.applications import Starlette
from starlette.routing import Mount
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from kolben import Kolben, request, url_for

app = Kolben(__name__)


@app.get("/where")
def where():
    return {"prefix": request.root_path, "url": url_for("where")}


def other_app(environ, start_response):
    start_response("404 Not Found", [])
    return []


# [starlette]
in_starlette = Starlette(routes=[Mount("/kolben", app)])
# [/starlette]

if not settings.configured:
    settings.configure()

# [django]
django_app = get_asgi_application()


async def in_django(scope, receive, send):
    if scope["type"] == "lifespan":
        await app(scope, receive, send)
    elif scope["path"].startswith("/kolben/"):
        root_path = scope.get("root_path", "") + "/kolben"
        await app({**scope, "root_path": root_path}, receive, send)
    else:
        await django_app(scope, receive, send)


# [/django]

# [werkzeug]
in_werkzeug = DispatcherMiddleware(other_app, {"/kolben": app})
# [/werkzeug]
