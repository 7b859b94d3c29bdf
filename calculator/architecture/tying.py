"""Whether a wrapped language model shares its embedding with its output, where a file may say so outside and inside.

Sources: transformers 5.24.0, `models/*/configuration_*.py`. Most wrappers read what stands outside, and where nothing
does, that of their class. Some also heed what was saved inside before version 5 (`__post_init__`: "BC: pre-v5 saves
placed `tie_word_embeddings` inside text_config"). Gemma's language model decides itself (`Gemma3TextConfig`).
"""

from __future__ import annotations

from calculator.architecture.fields import Fields, transformers_defaults

INSIDE = frozenset({"gemma3", "gemma3n", "gemma4", "gemma4_unified", "internvl_chat", "h2ovl_chat", "skywork_chat"})
EITHER = frozenset(
    {
        "glm46v",
        "glm4v",
        "glm4v_moe",
        "llava",
        "llava_next",
        "llava_next_video",
        "llava_onevision",
        "minimax_m3_vl",
        "qwen2_5_vl",
        "qwen2_vl",
        "video_llama_3",
    }
)


def tied(outer: Fields, text: Fields) -> bool | None:
    """None: neither says so, and the language model's own default holds. Marks the key as read."""
    said_outside = outer.flag("tied") if outer.has("tied") else None
    said_inside = text.flag("tied") if text.has("tied") else None
    outer.ignore("tied")
    if outer.model_type in INSIDE:
        return said_outside if said_inside is None else said_inside
    if outer.model_type in EITHER:
        return said_inside if not said_outside and said_inside is not None else said_outside
    if said_outside is not None:
        return said_outside
    by_class = transformers_defaults().get(outer.model_type, {}).get("tie_word_embeddings")
    return False if by_class is False else said_inside
