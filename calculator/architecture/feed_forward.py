"""The per-token part of a layer: a dense feed-forward network or a mixture of experts."""

from __future__ import annotations

from calculator.architecture.fields import Fields
from calculator.architecture.shape import Dense, Experts
from calculator.architecture.tensors import Block, Weight, linear, vector


def dense(hidden: int, size: int, *, gated: bool = True, fused: bool = False, bias: bool = False) -> Block:
    """Up (and gate, where gated) to `size` and down again. `fused`: gate and up are one tensor (Phi-3, GLM-4)."""
    if gated and fused:
        weights = linear("ffn_up", 2 * size, hidden, bias)
    else:
        weights = linear("ffn_gate", size, hidden, bias) if gated else ()
        weights += linear("ffn_up", size, hidden, bias)
    return Block(weights + linear("ffn_down", hidden, size, bias), feed_forward=Dense(intermediate_size=size))


def experts(
    hidden: int,
    spec: Experts,
    *,
    gated: bool = True,
    bias: bool = False,
    router_bias: bool = False,
    router_width: int | None = None,
    correction: str = "",  # "buffer": beside the parameters, "bias": one of them
    shared_gate: bool = False,
    shared_bias: bool = False,
    shared_fused: bool = False,
    latent_name: str = "latent",
) -> Block:
    """Experts stacked in front: (expert, output, input). Gate and up are always apart, also where a checkpoint of
    transformers stacks them into one tensor, because published files and GGUF keep them apart."""
    width = hidden if spec.latent_size is None else spec.latent_size
    names = ("ffn_gate_exps", "ffn_up_exps") if gated else ("ffn_up_exps",)
    weights = linear("ffn_gate_inp", router_width or spec.num_experts, hidden, router_bias)
    for role, output, input_ in [(name, spec.expert_size, width) for name in names] + [
        ("ffn_down_exps", width, spec.expert_size)
    ]:
        weights += (Weight(role, (spec.num_experts, output, input_), routed=True),)
        weights += (Weight(role, (spec.num_experts, output), "bias", routed=True),) if bias else ()
    if spec.latent_size is not None:
        weights += linear(f"ffn_{latent_name}_down", width, hidden)
        weights += linear(f"ffn_{latent_name}_up", hidden, width)
    if correction:
        weights += vector("exp_probs_b", router_width or spec.num_experts, kind=correction)
    if spec.shared_size:
        if gated and shared_fused:
            weights += linear("ffn_up_shexp", 2 * spec.shared_size, hidden, shared_bias)
        else:
            weights += linear("ffn_gate_shexp", spec.shared_size, hidden, shared_bias) if gated else ()
            weights += linear("ffn_up_shexp", spec.shared_size, hidden, shared_bias)
        weights += linear("ffn_down_shexp", hidden, spec.shared_size, shared_bias)
    if shared_gate:
        weights += linear("ffn_gate_inp_shexp", 1, hidden)
    return Block(weights, feed_forward=spec)


def read_experts(c: Fields, *, shared: str = "", expert_size: str = "expert_size") -> Experts:
    """`shared` says what gives the shared expert's size: "count" (so many experts) or "size" (a key of its own)."""
    number, active, size = c.size("num_experts"), c.size("num_active_experts"), c.size(expert_size)
    if active > number and not c.faults:
        c.fault("num_active_experts", "out_of_range", value=active, least=1, most=number)
    shared_count = c.count("num_shared_experts") if shared == "count" else 0
    shared_size = shared_count * size if shared == "count" else c.count("shared_expert_size") if shared == "size" else 0
    return Experts(
        num_experts=number,
        num_active_experts=active,
        expert_size=size,
        num_shared_experts=shared_count or int(shared_size > 0),
        shared_size=shared_size,
        num_groups=c.size("num_expert_groups", 1),
        num_active_groups=c.size("num_active_expert_groups", 1),
        normalised=c.flag("norm_topk_prob", True),
        scaled=scales_routed(c),
    )


def scales_routed(c: Fields) -> bool:
    """Whether the weights of the chosen experts are multiplied by a constant."""
    return c.value("routed_scale") not in (None, 0, 1)
