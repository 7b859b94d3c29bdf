"""Where a model lives elsewhere. On a Chinese page the hosts that answer from China come first."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from catalog.models import LanguageModel


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


def links(model: LanguageModel) -> list[Link]:
    """Weights, papers and licence, in the order that serves the reader's language."""
    hugging_face = (
        [Link(_("Weights on Hugging Face"), f"https://huggingface.co/{model.hf_repo}")] if model.hf_repo else []
    )
    mirror = [Link("hf-mirror", f"https://hf-mirror.com/{model.hf_repo}")] if model.hf_repo else []
    modelscope = []
    if model.modelscope_repo:
        modelscope = [Link(_("Weights on ModelScope"), f"https://modelscope.cn/models/{model.modelscope_repo}")]
    elif model.hf_repo:
        # No source names the repository there; its search answers in any case.
        name = model.hf_repo.partition("/")[2]
        modelscope = [Link(_("Find on ModelScope"), f"https://modelscope.cn/models?name={name}")]
    weights = [*modelscope, *mirror, *hugging_face] if get_language() == "zh-hans" else [*hugging_face, *modelscope]
    gguf = [Link(_("GGUF files"), f"https://huggingface.co/{model.gguf_repo}")] if model.gguf_repo else []
    ollama = [Link("Ollama", f"https://ollama.com/library/{model.ollama_tag}")] if model.ollama_tag else []
    papers = [Link(_("Paper"), url) for url in model.papers]
    licence = [Link(_("Licence"), model.licence_address)] if model.licence_address else []
    return [*weights, *gguf, *ollama, *papers, *licence]
