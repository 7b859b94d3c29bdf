"""The model that an address names, as the calculator takes it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from ninja.errors import HttpError

from calculator.architecture import Shape
from catalog.bridge.rows import published_model_or_404
from catalog.bridge.shapes import max_context_tokens, shape_of


def shape_or_404(slug: str) -> tuple[Shape, int | None]:
    """The shape of a published model and its longest context. Raises 404 where there is no such model or no config."""
    model = published_model_or_404(slug)
    shape = shape_of(model)
    if shape is None:
        raise HttpError(404, _("“%(slug)s” has no published config.json.") % {"slug": slug})
    return shape, max_context_tokens(model, shape)
