"""The image beside a shared link: name, memory, its parts as a bar, and cards that run it; 1200 × 630 as PNG.

Most places that show such an image take no SVG, so it is drawn here, with the letters of two small fonts that lie
beside this file (docs/decisions/0018-share-images.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from django.utils.translation import gettext as _
from PIL import Image, ImageDraw, ImageFont

from calculator.figures import context
from catalog.model_page.answer import Answer

FONTS = Path(__file__).parent / "fonts"
SIZE = (1200, 630)
MARGIN = 72
WIDTH = SIZE[0] - 2 * MARGIN
PAPER, INK, QUIET, SEAL, FITS = "#fbfaf6", "#1a1b1e", "#55565c", "#b3301c", "#1d6b45"
# As in static/css/tokens.css
PARTS: Mapping[str, str] = {
    "weights": "#2f4b6e",
    "kv_cache": "#b3301c",
    "state": "#8a6d1f",
    "compute": "#2b7a78",
    "overhead": "#8b8a86",
    "vision": "#6d4a86",
}
WORDS = (  # that may stand on an image beside names and figures
    "Model Atlas",
    "The publisher's config.json is not known, so the memory cannot be computed.",
    "GiB VRAM",
    "%(basis)s, %(context)s context",
    "fits on %(cards)s",
    "Open-weight LLMs, VRAM requirements, GPU calculator",
)
COLOURS = 64  # of the palette: flat areas and the edges of letters


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / f"{name}.otf", size, layout_engine=ImageFont.Layout.BASIC)


@cache
def letters() -> frozenset[str]:
    """What the fonts can draw."""
    return frozenset((FONTS / "letters.txt").read_text(encoding="utf-8"))


def model_image(name: str, organization: str, answer: Answer | None) -> bytes:
    canvas = _paper(organization, name)
    draw = ImageDraw.Draw(canvas)
    if answer is None:
        _line(draw, 300, _("The publisher's config.json is not known, so the memory cannot be computed."), 34, QUIET)
        return _png(canvas)
    figure, unit = font("bold", 150), font("bold", 54)
    draw.text((MARGIN - 6, 400), answer.figure, INK, figure, anchor="ls")
    beside = MARGIN + figure.getlength(answer.figure) + 20
    draw.text((beside, 400), _("GiB VRAM"), INK, unit, anchor="ls")
    basis = _("%(basis)s, %(context)s context") % {
        "basis": answer.basis,
        "context": context(answer.context_tokens),
    }
    draw.text((beside, 330), basis, QUIET, font("regular", 34), anchor="ls")
    _bar(draw, answer)
    if answer.card:
        draw.ellipse((MARGIN, 535, MARGIN + 24, 559), FITS)
        _line(draw, 558, _("fits on %(cards)s") % {"cards": answer.cards}, 40, FITS, MARGIN + 40, "bold")
    return _png(canvas)


def site_image() -> bytes:
    """For pages without a figure of their own model."""
    canvas = _paper("", _("Model Atlas"))
    text = _("Open-weight LLMs, VRAM requirements, GPU calculator")
    _line(ImageDraw.Draw(canvas), 300, text, 44, QUIET)
    return _png(canvas)


def _paper(above: str, name: str) -> Image.Image:
    canvas = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((0, 0, SIZE[0], 12), SEAL)
    _line(draw, 112, above, 34, QUIET)
    _line(draw, 196, name, 68, INK, face="bold")
    draw.text((SIZE[0] - MARGIN, 112), _("Model Atlas"), SEAL, font("bold", 34), anchor="rs")
    return canvas


def _line(
    draw: ImageDraw.ImageDraw, y: int, text: str, size: int, colour: str, x: int = MARGIN, face: str = "regular"
) -> None:
    """One line from `x`, smaller where it would be too long; left out where the fonts lack a letter of it."""
    if not set(text) <= letters():
        return
    room = SIZE[0] - MARGIN - x
    while size > 20 and font(face, size).getlength(text) > room:
        size -= 2
    draw.text((x, y), text, colour, font(face, size), anchor="ls")


def _bar(draw: ImageDraw.ImageDraw, answer: Answer) -> None:
    x = float(MARGIN)
    for key, held in answer.parts:
        width = WIDTH * held / answer.total_bytes
        draw.rectangle((round(x), 440, max(round(x) + 1, round(x + width) - 3), 488), PARTS[key])
        x += width


def _png(canvas: Image.Image) -> bytes:
    written = BytesIO()
    canvas.quantize(COLOURS, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
    return written.getvalue()
