"""A model's prose with the figures that it asks the calculator for."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from calculator.architecture import Shape
from calculator.figures_in_text import FIGURE, FigureError, with_figures
from catalog.bridge.shapes import max_context_tokens, shape_of
from catalog.models import LanguageModel


def described(model: LanguageModel) -> str:
    """A model's description with its figures. One that the calculator no longer has is said to be unknown."""
    if not FIGURE.search(model.description):
        return model.description
    shape = shape_of(model)
    return filled_in(model.description, shape, max_context_tokens(model, shape) if shape else None)


def filled_in(text: str, shape: Shape | None, longest: int | None) -> str:
    """`text` with its figures, for a model of this shape that is made for so many tokens."""

    def shown(found: re.Match[str]) -> str:
        try:
            return with_figures(found[0], shape, longest)
        except FigureError:
            return _("unknown")

    return FIGURE.sub(shown, text)
