"""Long lists, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.paginator import InvalidPage, Page, Paginator
from django.db.models import QuerySet
from django.http import Http404


def page_of(number: str | None, rows: QuerySet[Any] | Sequence[Any], size: int) -> dict[str, Any]:
    """The page that an address asks for (the first by default) and the numbers beside it, for a template's context.

    Raises Http404 for a page that is not.
    """
    try:
        page: Page[Any] = Paginator(rows, size).page(number or 1)
    except InvalidPage as error:
        raise Http404 from error
    return {"page": page, "pages": page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)}
