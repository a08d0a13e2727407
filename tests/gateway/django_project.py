"""A project of Django, for mounting; its settings are those of the process."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path, reverse

__all__ = ["get_asgi_application", "get_wsgi_application"]


class Urls:
    """What Django takes for a module of URLs."""

    @staticmethod
    def index(request: HttpRequest) -> HttpResponse:
        return HttpResponse("index")

    @staticmethod
    def where(request: HttpRequest, name: str) -> HttpResponse:
        return JsonResponse(
            {
                "name": name,
                "page": reverse("where", args=["ü x"]),
                "url": request.build_absolute_uri(reverse("index")),
                "path": request.path,
            }
        )

    @staticmethod
    def form(request: HttpRequest) -> HttpResponse:
        response = HttpResponseRedirect(reverse("who"))
        response.set_cookie("name", request.POST["name"])
        return response

    @staticmethod
    async def who(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.COOKIES["name"])

    @staticmethod
    def stream(request: HttpRequest) -> HttpResponse:
        return HttpResponse("".join(f"{number} " for number in range(1000)))

    @staticmethod
    def broken(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    @staticmethod
    def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
        return HttpResponse("its own 404", status=404)

    @staticmethod
    def handler500(request: HttpRequest) -> HttpResponse:
        return HttpResponse("its own 500", status=500)


Urls.urlpatterns = [  # type: ignore[attr-defined]
    path("", Urls.index, name="index"),
    path("where/<path:name>", Urls.where, name="where"),
    path("form", Urls.form),
    path("who", Urls.who, name="who"),
    path("stream", Urls.stream),
    path("broken", Urls.broken),
]


if not settings.configured:
    settings.configure()
settings.ROOT_URLCONF = Urls
settings.ALLOWED_HOSTS = ["*"]
settings.SECRET_KEY = "only for these tests"
settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
settings.LOGGING_CONFIG = None
django.setup()
