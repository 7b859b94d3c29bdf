"""Long lists, page by page."""

from __future__ import annotations

from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest


def page_of(request: HttpRequest, rows: QuerySet[Any], size: int) -> dict[str, Any]:
    """The page that `?page=` asks for and the numbers beside it, for a template's context; one that is not is a 404."""
    try:
        page: Page[Any] = Paginator(rows, size).page(request.GET.get("page") or 1)
    except InvalidPage as error:
        raise Http404 from error
    return {"page": page, "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)}
