"""Feed-forward networks and experts (`build_ffn` and `build_moe_ffn` in `src/llama-graph.cpp`)."""

from __future__ import annotations

from calculator.architecture.shape import Experts
from calculator.memory.llama_cpp.graph.builder import Builder
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor, node, same, view

REDUCED_AT_MOST = 15  # `MOE_WEIGHTED_REDUCTION_MAX_EXPERTS` in `ggml/src/ggml-cuda/ggml-cuda.cu`


def dense(build: Builder, x: Tensor, suffix: str = "", *, fused_width: int = 0, unary: tuple[str, ...] = ()) -> Tensor:
    """Up, gate and down again. `unary` are the operations of an activation without a gate."""
    up = build.project(f"ffn_up{suffix}", x)
    if f"ffn_gate{suffix}" in build.roles:
        gate = build.project(f"ffn_gate{suffix}", x)
        hidden = node("glu", gate.extent, gate, up)
    elif fused_width:
        hidden = node("glu", (fused_width, *up.extent[1:]), up)
    else:
        hidden = up
        for operation in unary or ("unary",):
            hidden = same(operation, hidden)
    return build.project(f"ffn_down{suffix}", hidden)


def experts(
    build: Builder,
    x: Tensor,
    spec: Experts,
    *,
    probabilities: str = "soft_max",  # or "unary" (sigmoid), "late" (soft-max over the chosen)
    router_input: Tensor | None = None,
    normed: bool = True,
    scaled: bool = False,
    weigh_first: bool = False,
    clamped: bool = False,
    unary: tuple[str, ...] = ("unary",),
    fused: bool = False,
    down_scaled: bool = False,
    logits: Tensor | None = None,
) -> Tensor:
    graph, tokens = build.graph, x.extent[1]
    number, used = build.roles["ffn_gate_inp"][-2], spec.num_active_experts
    start = len(graph.nodes)
    if logits is None:
        logits = build.project("ffn_gate_inp", router_input or x)
    chances = logits if probabilities == "late" else same(probabilities, logits)
    biased = (
        same("add", chances, *build.vector(number))
        if "exp_probs_b" in build.biases or "exp_probs_b" in build.roles
        else chances
    )
    if weigh_first:
        biased = logits
    if spec.num_groups > 1:
        biased = _masked(biased, number, spec.num_groups, spec.num_active_groups, tokens)
    order = node("argsort", biased.extent, biased)
    chosen = view(order, (used, tokens), "first", number)
    weights = node("get_rows", (1, used, tokens), view(chances, (1, number, tokens)), chosen)
    if probabilities == "late":
        weights = view(same("soft_max", view(weights, (used, tokens))), (1, used, tokens))
    if normed:
        weights = view(weights, (used, tokens))
        total = same("clamp", node("sum_rows", (1, tokens), weights))
        weights = view(same("div", weights, total), (1, used, tokens))
    if scaled:
        weights = same("scale", weights)
    graph.expand(weights)
    routing = graph.nodes[start:]
    width = x.rows
    x = view(x, (width, 1, tokens))
    if weigh_first:
        x = same("mul", node("repeat", (width, used, tokens), x), weights)
    size = spec.expert_size
    if fused:
        both = node("mul_mat_id", (2 * size, used, tokens), *build.weight("ffn_gate_up_exps"), x, chosen)
        hidden = node(
            "glu",
            (size, used, tokens),
            view(both, (size, used, tokens), "half", 0),
            view(both, (size, used, tokens), "half", 1),
        )
    else:
        up = _by_expert(build, "ffn_up_exps", size, x, chosen)
        if "ffn_gate_exps" in build.roles:
            gate = _by_expert(build, "ffn_gate_exps", size, x, chosen)
            hidden = _clamped(gate, up) if clamped else node("glu", gate.extent, gate, up)
        else:
            hidden = up
            for operation in unary:
                hidden = same(operation, hidden)
    out = _by_expert(build, "ffn_down_exps", width, hidden, chosen)
    raw = out
    if down_scaled:  # `build_lora_mm_id`: a row of scales per expert, repeated for the tokens and looked up
        scales = node("repeat", (1, number, tokens))
        out = same("mul", out, node("get_rows", (1, used, tokens), scales, chosen))
    if not weigh_first:
        out = same("mul", out, weights)
    graph.expand(out)
    parts = [view(out, (width, tokens), "expert", index, used) for index in range(used)]
    for part in parts:
        graph.expand(part)
    total = parts[0]
    for part in parts[1:]:
        total = same("add", total, part)
        graph.expand(total)
    if used == 1:
        total = same("cont", total)
    elif not weigh_first and used <= REDUCED_AT_MOST:
        total.kept = (raw, weights)  # `ggml_cuda_match_moe_weighted_reduction`
    _keep_routing(build, routing, logits, number, probabilities, spec.num_groups)
    return total


def _by_expert(build: Builder, role: str, rows: int, x: Tensor, chosen: Tensor) -> Tensor:
    result = node("mul_mat_id", (rows, chosen.extent[0], chosen.extent[1]), *build.weight(role), x, chosen)
    if role not in build.biases:
        return result
    in_ram = build.experts_in_ram or build.layer_in_ram
    bias = (Tensor("weight", (1, 1, 1, 1), (), Size(4 * rows * build.roles["ffn_gate_inp"][-2])),) if in_ram else ()
    return same("add_id", result, *bias, chosen)


def _clamped(gate: Tensor, up: Tensor) -> Tensor:
    return same("mul", same("clamp", same("unary", gate)), same("clamp", up))


def _masked(chances: Tensor, number: int, groups: int, kept: int, tokens: int) -> Tensor:
    """Only the best groups of experts stay (DeepSeek-V3)."""
    each = number // groups
    grouped = view(chances, (each, groups, tokens))
    best = view(node("argsort", grouped.extent, grouped), (2, groups, tokens), "first", each)
    scores = node("get_rows", (1, 2, groups, tokens), view(grouped, (1, each, groups, tokens)), best)
    scores = view(node("sum_rows", (1, groups, tokens), view(scores, (2, groups, tokens))), (groups, tokens))
    picked = view(node("argsort", scores.extent, scores), (kept, tokens), "first", groups)
    rows = node("get_rows", (each, kept, tokens), grouped, picked)
    filled = same("fill", grouped)
    result = Tensor("set_rows", filled.extent, (rows, picked, filled), filled.size, base=filled)
    return view(result, (number, tokens))


def _keep_routing(
    build: Builder, routing: list[Tensor], logits: Tensor, number: int, probabilities: str, groups: int
) -> None:
    """`ggml_cuda_topk_moe_fusion`: one kernel from the logits to the weights keeps all of it until the next node."""
    power_of_two = number & (number - 1) == 0 and number <= 512
    if probabilities == "late" or groups > 1 or not (power_of_two or number in (288, 576)):
        return
    nodes = build.graph.nodes
    fused = routing[routing.index(logits) + 1 :] if logits in routing else routing
    following = nodes[nodes.index(fused[-1]) + 1]
    sources = [source for tensor in fused for source in (tensor, *tensor.sources)]
    following.kept += tuple(dict.fromkeys(sources))
