"""From a row to the calculator's typed shape."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from calculator.architecture import ConfigError, Shape, read_config
from calculator.kept_graphs import kept_shape
from calculator.labels import config_error_texts

if TYPE_CHECKING:
    from catalog.models import LanguageModel


logger = logging.getLogger(__name__)


class _Version:
    """A config that is cached by the row and the moment it was last saved, so that an edit is seen at once."""

    __slots__ = ("config", "key")

    def __init__(self, key: tuple[int, object], config: dict[str, Any]) -> None:
        self.key, self.config = key, config

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Version) and self.key == other.key


@lru_cache(maxsize=1024)
def _read(version: _Version) -> Shape:
    return kept_shape(version.config) or read_config(version.config)


def shape_of(model: LanguageModel) -> Shape | None:
    """The model's shape, or None where no config is known. Needs a saved row with its `config` loaded.

    A config is read before it is saved, so one that cannot be read is older than the code: the next `sync_catalog`
    names it, and until then pages answer without it.
    """
    if not model.config or model.config_unread:
        return None
    try:
        return _read(_Version((model.pk, model.updated_at), model.config))
    except ConfigError as error:
        logger.warning("%s: %s", model.slug, error)
        return None


def why_no_memory(model: LanguageModel) -> str:
    """For a model without a shape. Of a config that is kept unread the reason is asked anew, as the code learns."""
    if model.config and model.config_unread:
        try:
            read_config(model.config)
        except ConfigError as error:
            reason = config_error_texts(error, ways_on=False)[0]
            told = _(
                "The calculator does not read this config.json, so neither VRAM nor the GPUs that hold it are computed."
                " %(reason)s"
            )
            return told % {"reason": reason}
    return _("The publisher's config.json is not known, so neither VRAM nor the GPUs that hold it can be computed.")


def max_context_tokens(model: LanguageModel, shape: Shape) -> int | None:
    """The longest context the model is made for: what the publisher states, extended or not, else its config."""
    return model.max_context_tokens or shape.context_tokens
