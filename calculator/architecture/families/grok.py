"""Grok 1 and 2: experts, and in Grok 2 (`residual_moe`) a dense feed-forward beside them that reads the same input.

Sources: SGLang's `models/grok.py` and llama.cpp's `conversion/grok.py` and `src/models/grok.cpp` (October 2026). What
the files say of scales and caps (`*_multiplier`, `*_softcapping`, `attn_temperature_len`) has no weights.
"""

from __future__ import annotations

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import SANDWICH_NORMS, Family
from calculator.architecture.feed_forward import dense, experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, norms


def grok(c: Fields) -> Decoder:
    """Every layer sees everything: SGLang reads neither `sliding_window_size` nor `global_attn_every_n`, and a file for
    which they would mean anything else than that is refused."""
    hidden = c.size("hidden_size")
    if (window := c.value("sliding_window")) not in (None, -1):
        raise c.fail("sliding_window", "unsupported_value", value=str(window)[:40])
    if (every := c.size("global_attn_every_n", None)) not in (None, 1):
        raise c.fail("global_attn_every_n", "unsupported_value", value=every)
    if c.config.get("rope_type"):
        c.config = {**c.config, "rope_scaling": _stretched(c)}
    block = norms(SANDWICH_NORMS, hidden) + attention(hidden, mixer(c, "full", *geometry(c))) + _feeds(c, hidden)
    return decoder(c, [block] * c.size("num_layers"))


def _stretched(c: Fields) -> dict[str, object]:
    """The same keys one level down, as YaRN: SGLang's `ScalingRotaryEmbedding` has as many angles whatever the type
    ("similar to YaRN"), and llama.cpp's converter writes `original` as YaRN."""
    original, factor = c.size("original_max_position_embeddings"), c.number("scaling_factor", 1)
    return {"type": "yarn", "factor": factor, "original_max_position_embeddings": original}


def _feeds(c: Fields, hidden: int) -> Block:
    """The dense feed-forward counts as the shared expert, under its own tensor names."""
    size = c.size("intermediate_size")
    number, active, beside = c.size("num_experts"), c.size("num_active_experts"), c.flag("residual_moe")
    if active > number and not c.faults:
        raise c.fail("num_active_experts", "out_of_range", value=active, least=1, most=number)
    spec = Experts(
        num_experts=number,
        num_active_experts=active,
        expert_size=c.size("expert_size", None) or size,
        num_shared_experts=int(beside),
        shared_size=size if beside else 0,
    )
    routed = Experts(num_experts=number, num_active_experts=active, expert_size=spec.expert_size)
    fed = Block(experts(hidden, routed).weights, feed_forward=spec)
    return fed + dense(hidden, size) if beside else fed


FAMILIES: dict[str, Family] = {"grok-1": grok}
