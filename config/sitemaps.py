"""What search engines are told: every entry in both languages, and which of a language's pages belong together."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

from django.contrib.sitemaps import Sitemap
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

import calculator.urls
import catalog.urls
from catalog.models import Accelerator, Benchmark, Family, LanguageModel, Organization
from catalog.models.querysets import with_published

# Every state of a calculator and of a list is an address; the sitemap names all that is worth indexing.
ROBOTS = """User-agent: *
Disallow: /*?
Disallow: /api/
Sitemap: {sitemap}
"""


class Bilingual(Sitemap):
    limit = 2000  # addresses in one file; each names its twin too
    i18n = True
    alternates = True
    x_default = True


class Pages(Bilingual):
    """Every page that needs no argument."""

    def items(self) -> list[str]:
        return [
            f"{urls.app_name}:{pattern.name}"
            for urls in (catalog.urls, calculator.urls)
            for pattern in urls.urlpatterns
            if not pattern.pattern.converters
            and not PurePath(str(pattern.pattern)).suffix  # feeds and images are no pages
        ]

    def location(self, item: str) -> str:
        return reverse(item)


class Rows(Bilingual):
    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows

    def items(self) -> QuerySet[Any]:
        return self.rows.only("slug", "updated_at")

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
