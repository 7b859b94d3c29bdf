"""The names by which readers look a model up, in the form in which they are compared."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.models import LanguageModel


def normalise(text: str) -> str:
    """The form in which names are compared: NFKC (full-width letters become plain), lower case, single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def search_text(model: LanguageModel, aliases: Iterable[str]) -> str:
    """Every name a reader may look a model up by, one a line, as `LanguageModelQuerySet.search` compares them."""
    organization, family = model.organization, model.family
    names = [
        model.name,
        model.slug,
        model.hf_repo,
        model.modelscope_repo,
        model.gguf_repo,
        model.ollama_tag,
        family.name_en,  # type: ignore[attr-defined]
        family.name_zh_hans,  # type: ignore[attr-defined]
        organization.slug,
        organization.name_en,  # type: ignore[attr-defined]
        organization.name_zh_hans,  # type: ignore[attr-defined]
        *aliases,
    ]
    return "\n".join(dict.fromkeys(normalise(name) for name in names if name))
