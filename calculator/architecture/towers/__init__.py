"""Encoders for pictures and sound, by the model type of the file that holds them beside its language model."""

from __future__ import annotations

from calculator.architecture.towers import (
    any_size,
    clip,
    dots3,
    first_llava,
    first_readers,
    florence,
    gemma,
    glm,
    inkling,
    llama,
    merging,
    others,
    own_code,
    pooled,
    published,
    qformer,
    qwen,
    radio,
    reading,
    sound,
    speech,
    tokenizers,
)
from calculator.architecture.towers.tower import Tower, Towers

__all__ = ["TOWERS", "Tower"]

TOWERS: dict[str, Towers] = {
    model_type: towers
    for module in (
        *(
            any_size,
            clip,
            dots3,
            first_llava,
            first_readers,
            florence,
            gemma,
            glm,
            inkling,
            llama,
            merging,
            others,
            own_code,
            pooled,
            published,
            qformer,
            qwen,
            radio,
            reading,
            sound,
            speech,
        ),
        tokenizers,
    )
    for model_type, towers in module.TOWERS.items()
}
FLAT_TOWERS = frozenset({"deepseek_v4"})
"""Model types whose files hold the sizes of an encoder beside those of the language model."""
