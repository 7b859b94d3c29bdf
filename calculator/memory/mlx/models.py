"""What mlx-lm's model files say of themselves: which model types there are, and what each does otherwise than most.

`models.json` is read off mlx-lm 0.32.2: `modules` and `text_modules` are the files of `mlx_lm/models` and the language
models that wrappers hold, `aliases` and `classes` are `utils.py` (`MODEL_REMAPPING`, `MODEL_ARCHITECTURE_REMAPPING`).
The rest lists files by what their classes do: `routers_wide` (a bare parameter, which nothing quantises),
`routers_8bit`, `eight_bits`, `kept_wide` and, in layers of MLA, `latents_kept_wide` (`quant_predicate`), `f32`
(`cast_predicate`), `not_loaded` (dropped by `sanitize`), `favoured` and `not_favoured` (their own names for what
recipes look for), `latents` (MLA that caches the latent), `windows` (`make_cache` gives sliding layers a
`RotatingKVCache`), `own_attention` (scores are multiplied out, whatever the size of a head), `no_kv_bits` (which cannot
read a packed cache).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from calculator.architecture.shape import Shape
from calculator.memory.mlx.recipes import DOWN, VALUES
from calculator.memory.workload import WorkloadError


@dataclass(frozen=True, slots=True)
class Traits:
    """What a model's file does. Roles are those of `Tensor`."""

    router: str  # "wide", "8bit", or "" where it is quantised like the rest
    eight_bits: frozenset[str]
    kept_wide: frozenset[str]
    latents_kept_wide: frozenset[str]
    f32: frozenset[str]
    favoured: frozenset[str]
    not_loaded: frozenset[str]
    caches_latent: bool
    uses_windows: bool
    own_attention: bool
    packs_cache: bool


@cache
def listed() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=256)
def traits(shape: Shape) -> Traits:
    """Raises `WorkloadError` for a model type that mlx-lm has no file for."""
    known, module = listed(), _module(shape)
    router = "wide" if module in known["routers_wide"] else "8bit" if module in known["routers_8bit"] else ""
    return Traits(
        router=router,
        eight_bits=frozenset(known["eight_bits"].get(module, ())),
        kept_wide=frozenset(known["kept_wide"].get(module, ())),
        latents_kept_wide=frozenset(known["latents_kept_wide"].get(module, ())),
        f32=frozenset(role for role, modules in known["f32"].items() if module in modules),
        favoured=(VALUES | DOWN | set(known["favoured"].get(module, ()))) - set(known["not_favoured"].get(module, ())),
        not_loaded=frozenset(known["not_loaded"].get(module, ())),
        caches_latent=module in known["latents"],
        uses_windows=module in known["windows"],
        own_attention=module in known["own_attention"],
        packs_cache=module not in known["no_kv_bits"],
    )


def _module(shape: Shape) -> str:
    """The file of the language model (`utils.py`, `_get_classes`).

    What mlx-lm asks is the outer model type. A config that names no class is taken for the class of that type that the
    list knows: all that is read here as `bailing_hybrid` is Ling 3, whose layers `bailing_hybrid.py` does not have.
    """
    known, stated = listed(), shape.file_type or shape.model_type
    classes = known["classes"].get(stated, {})
    name = classes.get(shape.architecture or next(iter(classes), "")) or known["aliases"].get(stated, stated)
    if name not in known["modules"]:
        raise WorkloadError("engine", "model_not_supported", model_type=stated)
    module: str = known["text_modules"].get(name, name)
    if module == "mistral3":  # `mistral3.py`: the language model is Ministral 3 or Mistral 4 where the file says so
        return shape.model_type if shape.model_type in ("ministral3", "mistral4") else "llama"
    return module
