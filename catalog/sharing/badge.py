"""A badge for a README: `VRAM 228 GiB · Q4_K_M 8K`, and with `?card=` whether it fits there."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from calculator.figures import context
from catalog.bridge.my_hardware import MyHardware
from catalog.bridge.rows import published_model_or_404
from catalog.model_page.answer import answer
from catalog.models import LanguageModel

COLOURS = {"fit": "#1d6b45", "tight": "#8a5a00", "over": "#6b6c72"}
PLAIN = "#b3301c"
WIDE = 11.0  # a Han character at 11 px
NARROW = 6.6  # a Latin letter or digit of Verdana, the mean of such texts
PADDING = 6.0
QUESTIONS = frozenset({"card", "cards", "card2", "cards2", "lang"})


@dataclass(frozen=True, slots=True)
class Field:
    """One coloured part of the badge; lengths in px."""

    text: str
    colour: str
    x: float

    @property
    def length(self) -> float:
        return round(sum(WIDE if ord(letter) > 0x2E80 else NARROW for letter in self.text), 1)

    @property
    def width(self) -> float:
        return self.length + 2 * PADDING


def badge(request: HttpRequest, slug: str) -> HttpResponse:
    """An SVG image that other sites may show. What is asked wrongly is answered with 400 and the reason."""
    language = request.GET.get("lang", "en")
    if language not in ("en", "zh-hans"):
        return HttpResponseBadRequest("lang: en or zh-hans", content_type="text/plain; charset=utf-8")
    if unknown := sorted(request.GET.keys() - QUESTIONS):
        return HttpResponseBadRequest(f"unknown: {', '.join(unknown)}", content_type="text/plain; charset=utf-8")
    with translation.override(language):
        model, mine = published_model_or_404(slug), MyHardware.from_query(request.GET)
        if not mine.valid:
            reasons = "; ".join(str(error) for errors in mine.form.errors.values() for error in errors)
            return HttpResponseBadRequest(reasons, content_type="text/plain; charset=utf-8")
        fields = _fields(model, mine)
        title = f"{model.name}: {' · '.join(field.text for field in fields)}"
        svg = render_to_string(
            "catalog/badge.svg", {"fields": fields, "title": title, "width": fields[-1].x + fields[-1].width}
        )
    response = HttpResponse(svg, content_type="image/svg+xml")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _fields(model: LanguageModel, mine: MyHardware) -> list[Field]:
    known = answer(model)
    texts = [(_("VRAM"), "#3d3e42")]
    if known is None:
        texts.append((_("not computed"), COLOURS["over"]))
    else:
        texts.append((f"{known.figure} GiB · {known.basis} {context(known.context_tokens)}", PLAIN))
        if fit := mine.fit_of(model):
            texts.append((f"{fit.label}: {fit.state}", COLOURS.get(fit.badge, COLOURS["over"])))
    fields: list[Field] = []
    for text, colour in texts:
        x = fields[-1].x + fields[-1].width if fields else 0.0
        fields.append(Field(text, colour, round(x, 1)))
    return fields
