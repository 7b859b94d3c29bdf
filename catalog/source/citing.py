"""Which facts of a card no source stands behind."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.source.records import ModelRecord

# What a publisher or another page says. The rest of a card is read from config.json, computed, or our own prose;
# the name of the repository on Hugging Face is its own address.
CITED = (
    *("release_date", "knowledge_cutoff", "licence", "input_modalities", "output_modalities"),
    *("total_label", "active_label", "checkpoint_parameters", "context_tokens", "context_extended_tokens"),
    *("config", "modelscope_repo", "gguf_repo", "ollama_tag"),
)


def unsourced(model: ModelRecord) -> Iterator[str]:
    """Keys that the card fills and no `[[source]]` names.

    They are told, not refused: an editor's card may be written before all its sources are.
    """
    cited = {fact for source in model.sources for fact in source.facts}
    yield from (fact for fact in CITED if getattr(model, fact) and fact not in cited)
