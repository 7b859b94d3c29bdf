"""Addresses. Pages carry their language in the path; the API and the editors' admin carry none."""

from __future__ import annotations

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.sitemaps.views import index, sitemap
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path, re_path
from django.views.i18n import set_language

from catalog.api import api
from catalog.sharing.badge import badge
from catalog.sharing.views import llms
from config import languages, sitemaps


def icon(request: HttpRequest) -> HttpResponseRedirect:
    """For what asks for an icon without having read a page, such as the admin's pages."""
    return HttpResponseRedirect(static("icon.svg"))


urlpatterns = [
    path("", languages.front_door, name="front_door"),
    re_path(languages.CHINESE_ALIASES, languages.to_simplified_chinese),
    path("favicon.ico", icon),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("llms.txt", llms, name="llms"),
    path("badge/<slug:slug>.svg", badge, name="badge"),
    path("sitemap.xml", index, {"sitemaps": sitemaps.SITEMAPS, "sitemap_url_name": "sitemap_section"}, name="sitemap"),
    path("sitemap-<section>.xml", sitemap, {"sitemaps": sitemaps.SITEMAPS}, name="sitemap_section"),
    path(f"{settings.ADMIN_PATH}language/", set_language, name="set_language"),  # pages have theirs in the path
    path(settings.ADMIN_PATH, admin.site.urls),
    path("api/v1/", api.urls),
    *i18n_patterns(
        path("", include("calculator.urls")),
        path("", include("catalog.urls")),
        path("", include("catalog.api.urls")),
        prefix_default_language=True,
    ),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.page_not_found"
handler500 = "config.errors.server_error"
