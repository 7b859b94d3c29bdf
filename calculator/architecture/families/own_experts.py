"""Mixtures of experts of published files that bring code of their own.

Sources: of SmallThinker the published config and llama.cpp; of MobileMoE a port of the repository's code, which names
each tensor and checks its size; vLLM 0.33.0's `models/param2moe.py`. The counts are those of the published checkpoints.
"""

from __future__ import annotations

from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.dense import BIASED
from calculator.architecture.families.standard import PRE_NORMS, Family, Sparse, Standard, first_dense
from calculator.architecture.feed_forward import experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import norms


def mobilemoe(c: Fields) -> Decoder:
    """MobileMoE: each layer has experts and one that is always on, of `intermediate_size_mlp`."""
    hidden, step = c.size("hidden_size"), c.size("interleave_moe_layer_step", 1)
    if step != 1:
        raise c.fail("interleave_moe_layer_step", "unsupported_value", value=step)
    size, shared = c.size("intermediate_size"), c.size("intermediate_size_mlp")
    c.ignore("no_rope_layers", "use_qk_norm", "num_shared_experts", "moe_layers")
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=size,
        num_shared_experts=1,
        shared_size=shared,
    )
    # Its norm of queries and keys has no weights.
    kinds = layer_kinds(c)
    rest = norms(PRE_NORMS, hidden) + experts(hidden, spec, correction="bias")
    layers = {kind: rest + BIASED.mixer(c, kind) for kind in dict.fromkeys(kinds)}
    return decoder(c, [layers[kind] for kind in kinds])


def smallthinker(c: Fields) -> Decoder:
    """SmallThinker (arXiv:2507.20984): a router that looks at what comes before attention, and layers with a window
    where the file lists them (llama.cpp's `conversion/smallthinker.py`)."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    flags = c.sizes("sliding_window_layout", number) or [0] * number
    c.ignore("rope_layout", "sliding_window", "norm_topk_prob", "moe_layer_layout", "moe_enable_early_router")
    c.ignore("moe_primary_router_apply_softmax", "moe_enable_secondary_experts", "moe_secondary_expert_size")
    spec = Experts(
        num_experts=c.size("moe_num_primary_experts"),
        num_active_experts=c.size("moe_num_active_primary_experts"),
        expert_size=c.size("expert_size"),
    )
    if spec.num_active_experts > spec.num_experts and not c.faults:
        active, most = spec.num_active_experts, spec.num_experts
        raise c.fail("moe_num_active_primary_experts", "out_of_range", value=active, least=1, most=most)
    kinds = ["sliding" if flag else "full" for flag in flags]
    rest = norms(PRE_NORMS, hidden) + experts(hidden, spec)
    layers = {kind: rest + BIASED.mixer(c, kind) for kind in dict.fromkeys(kinds)}
    return decoder(c, [layers[kind] for kind in kinds])


PARAM2 = Standard(
    qkv_bias="use_qkv_bias",
    out_bias="use_bias",
    fused_qkv=True,
    qk_norm="head",
    qk_norm_if="use_qk_norm",
    sparse=Sparse(shared="count", correction="buffer", layers=lambda c: first_dense(c, 1)),
    ignored=("moe_shared_expert_intermediate_size", "num_expert_groups", "num_active_expert_groups", "mlp_bias"),
)


FAMILIES: dict[str, Family] = {"mobilemoe": mobilemoe, "param2moe": PARAM2, "smallthinker": smallthinker}
