"""Which rule reads which model type. To add a model type, add a line to the table of the module it is most like."""

from __future__ import annotations

from calculator.architecture.families import (
    classic,
    deepseek,
    deepseek_v41,
    dense,
    diffusion,
    encoder_decoders,
    first_readers,
    gated,
    gemma,
    image_readers,
    indexed,
    inkling,
    linear,
    llama4,
    looped,
    own_code,
    own_files,
    published,
    qwen4,
    recurrent,
    renamed,
    sparse,
    state_space,
    uneven,
    variants,
    zaya,
)
from calculator.architecture.families.standard import Family

_MODULES = (
    classic,
    dense,
    diffusion,
    encoder_decoders,
    image_readers,
    first_readers,
    variants,
    sparse,
    gated,
    deepseek,
    state_space,
    linear,
    recurrent,
    gemma,
    llama4,
    indexed,
    deepseek_v41,
    uneven,
    own_code,
    own_files,
    published,
    looped,
    renamed,
    inkling,
    qwen4,
    zaya,
)
FAMILIES: dict[str, Family] = {
    model_type: family for module in _MODULES for model_type, family in module.FAMILIES.items()
}
