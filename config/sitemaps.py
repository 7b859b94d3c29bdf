"""What search engines are told: every entry in both languages, and which of a language's pages belong together."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.conf import settings
from django.contrib.sitemaps import Sitemap
from django.core.paginator import Paginator
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe

import calculator.urls
import catalog.api.urls
import catalog.urls
from catalog.models import Accelerator, Benchmark, Family, LanguageModel, Organization
from catalog.models.querysets import with_published

# Every state of a calculator and of a list is an address; the sitemap names all that is worth indexing.
ROBOTS = """User-agent: *
Disallow: /*?
Disallow: /api/
Disallow: /*/search/
Sitemap: {sitemap}
"""


class Bilingual(Sitemap):
    """Pages by entries, each of which is named in every language: Django's own would read all for each page, and look
    an address up again for every twin."""

    limit = 1000

    @property
    def paginator(self) -> Paginator[Any]:
        items: Any = self.items()
        return Paginator(items, self.limit)

    def get_urls(self, page: int | str = 1, site: Any = None, protocol: str | None = None) -> list[dict[str, Any]]:
        root = f"{self.get_protocol(protocol)}://{self.get_domain(site)}"
        items = list(self.paginator.page(page).object_list)
        days = [self.lastmod(item) for item in items]
        self.latest_lastmod = max(filter(None, days), default=None)  # which Django's view answers with
        written = {}
        for code, _name in settings.LANGUAGES:
            with translation.override(code):
                written[code] = [root + str(self.location(item)) for item in items]
        found = []
        for day, *addresses in zip(days, *written.values(), strict=True):
            twins = [{"lang_code": code, "location": each} for code, each in zip(written, addresses, strict=True)]
            anyone = addresses[0].replace(f"/{settings.LANGUAGE_CODE}/", "/", 1)
            twins.append({"lang_code": "x-default", "location": anyone})
            found += [{"location": each, "lastmod": day, "alternates": twins} for each in addresses]
        return found

    def lastmod(self, item: Any) -> datetime | None:
        return None


NO_PAGES = ("search", "suggestions", "card_search")  # answers to a reader's words


class Pages(Bilingual):
    """Every page that needs no argument."""

    def items(self) -> list[str]:
        return [
            f"{urls.app_name}:{pattern.name}"
            for urls in (catalog.urls, catalog.api.urls, calculator.urls)
            for pattern in urls.urlpatterns
            if not pattern.pattern.converters
            and pattern.name not in NO_PAGES
            and not PurePath(str(pattern.pattern)).suffix  # feeds and images are no pages
        ]

    def location(self, item: str) -> str:
        return reverse(item)


class Rows(Bilingual):
    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows

    def items(self) -> QuerySet[Any]:
        return self.rows.order_by("pk").only("slug", "updated_at")

    def lastmod(self, item: Any) -> datetime:
        return item.updated_at

    def get_latest_lastmod(self) -> datetime | None:
        """For the index, without reading every row."""
        newest: datetime | None = self.rows.aggregate(newest=Max("updated_at"))["newest"]
        return newest


SITEMAPS = {
    "pages": Pages(),
    "accelerators": Rows(Accelerator.objects.all()),
    "benchmarks": Rows(Benchmark.objects.all()),
    "models": Rows(LanguageModel.objects.published()),
    "organizations": Rows(with_published(Organization.objects.all())),
    "families": Rows(with_published(Family.objects.all())),
}


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    sitemap = request.build_absolute_uri(reverse("sitemap"))
    return HttpResponse(ROBOTS.format(sitemap=sitemap), content_type="text/plain")
