"""What the frame of every page needs: its addresses in both languages, and the operator's footer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.cache import cache
from django.db.models import Max
from django.db.models.functions import Length
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse, translate_url
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from catalog import versions
from catalog.models import DataChange, LanguageModel, Score

DAY = len("2026-11-29")
HTML_CODES = {"en": "en", "zh-hans": "zh-Hans"}


@dataclass(frozen=True, slots=True)
class Alternate:
    """One page in one language. `url` is absolute and without query, `path` keeps it for the language switch."""

    code: str
    html_code: str
    name: str
    url: str
    path: str
    current: bool


def alternates(request: HttpRequest) -> list[Alternate]:
    found = []
    for code, name in settings.LANGUAGES:
        path, current = _translated(request, code), code == get_language()
        if not current and path == request.get_full_path():  # an address without a twin, such as one that is not found
            path = f"/{code}/"
        url = request.build_absolute_uri(path.partition("?")[0])
        found.append(Alternate(code, HTML_CODES[code], name, url, path, current))
    return found


def _translated(request: HttpRequest, code: str) -> str:
    """The address in another language. One that was found differs in its language alone, which is all that a page's
    own says of it; it need not be looked up again."""
    address, language = request.get_full_path(), get_language()
    prefix = f"{get_script_prefix()}{language}/"
    if request.resolver_match and address.startswith(prefix):
        return f"{get_script_prefix()}{code}/{address.removeprefix(prefix)}"
    return str(translate_url(address, code))


def data_date() -> date | None:
    """Newest day in the data, of a score or a release: how far they reach. Computed once after each change."""
    newest = cache.get_or_set(versions.key("data-date", DataChange.version()), _newest_day, versions.SECONDS)
    return date.fromisoformat(newest) if newest else None


def _newest_day() -> str:
    """Dates are text, and those of a month alone are shorter (`PARTIAL_DATE`); empty without data."""
    days = Score.objects.order_by().alias(letters=Length("date")).filter(letters=DAY)
    released = LanguageModel.objects.published().order_by().alias(letters=Length("release_date")).filter(letters=DAY)
    found = days.aggregate(newest=Max("date"))["newest"], released.aggregate(newest=Max("release_date"))["newest"]
    return max(newest or "" for newest in found)


def site(request: HttpRequest) -> dict[str, object]:
    pages = alternates(request)
    current = next(page for page in pages if page.current)
    return {
        "html_lang": current.html_code,
        "canonical_url": current.url,
        "alternates": pages,
        "site_image_url": request.build_absolute_uri(reverse("catalog:site_image")),
        "default_url": request.build_absolute_uri("/" + current.url.split("/", 4)[-1]),
        "icp_number": settings.ICP_NUMBER,
        "police_number": settings.POLICE_NUMBER,
        "data_date": SimpleLazyObject(data_date),
    }
