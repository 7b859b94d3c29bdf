"""Ways into a language: the front door asks the browser, other spellings of Chinese lead to ours."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect, HttpResponseRedirect
from django.utils.encoding import escape_uri_path
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.middleware import View

# `/zh`, `/cn`, `/zh-CN`, `/zh-Hans` (our own code in other case) ..., but not `/zh-hans/` itself, which would loop.
# Django reverses patterns and skips what is in a named group; it stumbles over (?i: anywhere else.
CHINESE_ALIASES = r"^(?P<alias>(?!zh-hans/)(?i:zh|cn|zh-cn|zh-sg|zh-hans|zh-hans-cn))(?:/(?P<rest>.*))?$"


def by_address(get_response: View) -> View:
    """No cookie chooses a public answer's language: it is kept for all who ask the same, here and by caches in front,
    and by `Accept-Language` alone are those told apart who do not name theirs in the address. The admin has a cookie.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(f"/{settings.ADMIN_PATH}"):
            request.COOKIES.pop(settings.LANGUAGE_COOKIE_NAME, None)
        return get_response(request)

    return middleware


def _with_query(request: HttpRequest, path: str) -> str:
    query = request.META.get("QUERY_STRING", "")
    return f"{escape_uri_path(path)}?{query}" if query else escape_uri_path(path)


@require_safe
def front_door(request: HttpRequest) -> HttpResponseRedirect:
    """To the language that LocaleMiddleware chose by Accept-Language; it adds the Vary header."""
    return HttpResponseRedirect(_with_query(request, f"/{get_language()}/"))


def to_simplified_chinese(request: HttpRequest, alias: str, rest: str | None = None) -> HttpResponsePermanentRedirect:
    return HttpResponsePermanentRedirect(_with_query(request, f"/zh-hans/{rest or ''}"))


def labelled(label: str, code: str) -> str:
    """What the forms of editors call a text in one of its languages."""
    told = _("%(field)s (English)") if code == "en" else _("%(field)s (Chinese)")
    return told % {"field": label}
