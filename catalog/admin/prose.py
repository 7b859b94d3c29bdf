"""A text as readers will see it, while it is written: the markup of the model's own page, and what is amiss."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path, reverse_lazy
from django.utils import translation
from django.utils.translation import gettext as _

from calculator.architecture import ConfigError, Shape, parse_config_text, read_config
from calculator.figures_in_text import FIGURE, FigureError, with_figures
from catalog.admin.versioned import VersionedAdmin
from catalog.admin.wording import other_words
from catalog.bridge.markup import INLINE, UNREAD
from catalog.bridge.prose import filled_in

LONGEST = {"summary": 300, "description": 5000}  # characters that the columns take
SHOWN = {"summary": 155, "description": 0}  # of a summary, in results of searches; more is cut there
HAN = r"\u3400-\u9fff"
BESIDE_LATIN = re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9%][{HAN}]")
HALF_WIDTH = re.compile(rf"[{HAN}]\s*[,;:!?()]|[,;:!?()]\s*[{HAN}]")


class ProseWidget(AdminTextareaWidget):
    """A text box with its preview beneath; without scripts the box alone."""

    def __init__(self, field: str, language: str, rows: int) -> None:
        super().__init__(
            {
                "rows": rows,
                "lang": language,
                "data-prose": reverse_lazy("admin:catalog_languagemodel_prose"),
                "data-field": field,
                "data-language": language,
            }
        )

    class Media:
        js = ("js/prose.js",)


def widgets() -> dict[str, ProseWidget]:
    """For the form of a model."""
    return {
        f"{field}_{language.replace('-', '_')}": ProseWidget(field, language, rows)
        for field, rows in (("summary", 3), ("description", 6))
        for language in ("en", "zh-hans")
    }


class PreviewsProse(VersionedAdmin):
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.prose_view)
        return [path("prose/", view, name="catalog_languagemodel_prose"), *super().get_urls()]

    def prose_view(self, request: HttpRequest) -> HttpResponse:
        """What a text looks like. Nothing is kept."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        field, language = request.POST.get("field", ""), request.POST.get("language", "")
        if field not in LONGEST or language not in ("en", "zh-hans"):
            raise Http404
        text = request.POST.get("text", "").replace("\r\n", "\n").strip()
        shape, longest = _model_in_form(request.POST)
        shown = text[: LONGEST[field]]  # what is beyond is refused, so it is not even looked at
        hints = [_length(len(text), field), *_hints(shown, field, language)]
        if field == "description":
            hints += _missing_figures(shown, shape, longest)
        with translation.override(language):
            shown = filled_in(shown, shape, longest) if field == "description" else shown
            seen = render(request, "catalog/admin/prose.html", {"text": shown, "field": field})
        context: dict[str, Any] = {"seen": seen.content.decode(), "hints": hints, "language": language}
        return render(request, "catalog/admin/prose_preview.html", context)


def _model_in_form(sent: QueryDict) -> tuple[Shape | None, int | None]:
    """What figures are computed from, as the form says it now; a config.json comes along where a text asks for one."""
    tokens = (sent.get(name, "") for name in ("context_extended_tokens", "context_tokens"))
    longest = next((int(text) for text in tokens if text.isdecimal()), None)
    try:
        shape = read_config(parse_config_text(sent.get("config", "")))
    except ConfigError:
        return None, longest
    return shape, longest or shape.context_tokens


def _missing_figures(text: str, shape: Shape | None, longest: int | None) -> Iterator[str]:
    for asked in FIGURE.finditer(text):
        try:
            with_figures(asked[0], shape, longest)
        except FigureError as figure:
            yield _("The calculator has no figure %(figure)s for this model.") % {"figure": figure}


def _length(characters: int, field: str) -> str:
    count = {"count": f"{characters:,}", "most": f"{LONGEST[field]:,}", "shown": SHOWN[field]}
    if characters > LONGEST[field]:
        return _("%(count)s characters: %(most)s are the most.") % count
    if SHOWN[field] and characters > SHOWN[field]:
        return _("%(count)s of %(most)s characters; search results cut a summary after about %(shown)s.") % count
    return _("%(count)s of %(most)s characters") % count


def _hints(text: str, field: str, language: str) -> Iterator[str]:
    if field == "summary" and INLINE.search(text):
        yield _("A summary is plain text: its Markdown is shown as it is typed.")
    if field == "description" and (found := UNREAD.search(text)):
        told = _(
            "“%(text)s” is shown as it is typed. Known are paragraphs, lists, **bold**, *emphasis*, `code` and links."
        )
        yield told % {"text": found[0]}
    if language == "zh-hans" and (found := HALF_WIDTH.search(text)):
        yield _("Half-width punctuation beside Han: “%(text)s”") % {"text": found[0]}
    if language == "zh-hans" and (found := BESIDE_LATIN.search(text)):
        yield _("No space between Han and Latin: “%(text)s”") % {"text": found[0]}
    for theirs, ours in other_words(text, language):
        yield _("This site says “%(ours)s”, not “%(theirs)s”.") % {"ours": ours, "theirs": theirs}
