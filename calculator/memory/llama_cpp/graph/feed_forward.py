"""Feed-forward networks and experts (`build_ffn` and `build_moe_ffn` in `src/llama-graph.cpp`)."""

from __future__ import annotations

from calculator.architecture.shape import Experts
from calculator.memory.llama_cpp.graph.builder import Builder
from calculator.memory.llama_cpp.graph.tensors import Size, Tensor, node, same, view

METAL_SCALES = 8 + 4 * 256  # `ggml_metal_op_mul_mat_id_extra_amax`
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
    weigh_first: bool = False,
    unary: tuple[str, ...] = ("unary",),
    fused: bool = False,
    down_scaled: bool = False,
    normalised: bool = True,
    logits: Tensor | None = None,
) -> Tensor:
    """`build_moe_ffn`. `logits`: of a router that reads other than `x`. `fused`: gates and ups are one tensor."""
    graph, tokens, width = build.graph, x.extent[1], x.rows
    number, used = build.roles["ffn_gate_inp"][-2], spec.num_active_experts
    start = len(graph.nodes)
    logits = logits or build.project("ffn_gate_inp", x)
    chosen, weights = _route(build, spec, logits, probabilities, by_logits=weigh_first, normalised=normalised)
    graph.expand(weights)
    routing = graph.nodes[start:]
    x = view(x, (width, 1, tokens))
    if weigh_first:
        x = same("mul", node("repeat", (width, used, tokens), x), weights)
    out = raw = _by_expert(build, "ffn_down_exps", width, _inside(build, spec, x, chosen, unary, fused), chosen)
    if down_scaled:  # `build_lora_mm_id`: a row of scales per expert, repeated for the tokens and looked up
        scales = node("repeat", (1, number, tokens), view(build.expert_vector(number), (1, number)))
        out = same("mul", out, node("get_rows", (1, used, tokens), scales, chosen))
    if not weigh_first:
        out = same("mul", out, weights)
    graph.expand(out)
    total = _sum_of(build, out, used)
    cuda = build.setting.back_end == "cuda"
    if cuda and not weigh_first and 1 < used <= REDUCED_AT_MOST:
        total.kept = (raw, weights)  # `ggml_cuda_match_moe_weighted_reduction`
        total.fused = (raw, out)
    if cuda:
        _keep_routing(build, routing, logits, number, probabilities, spec.num_groups)
    return total


def _route(
    build: Builder, spec: Experts, logits: Tensor, probabilities: str, *, by_logits: bool, normalised: bool
) -> tuple[Tensor, Tensor]:
    """Which experts every token goes to, and their weights."""
    number, tokens, used = logits.rows, logits.extent[1], spec.num_active_experts
    chances = logits if probabilities == "late" else same(probabilities, logits)
    order = chances
    if "exp_probs_b" in build.biases or "exp_probs_b" in build.roles:
        order = same("add", chances, build.vector(number))
    if by_logits:
        order = logits
    if spec.num_groups > 1:
        order = _masked(order, number, spec.num_groups, spec.num_active_groups, tokens)
    chosen = view(node("argsort", order.extent, order), (used, tokens), "first", number)
    weights = node("get_rows", (1, used, tokens), view(chances, (1, number, tokens)), chosen)
    if probabilities == "late":
        weights = view(same("soft_max", view(weights, (used, tokens))), (1, used, tokens))
    if normalised:
        weights = view(weights, (used, tokens))
        total = same("clamp", node("sum_rows", (1, tokens), weights))
        weights = view(same("div", weights, total), (1, used, tokens))
    return chosen, same("scale", weights) if spec.scaled else weights


def _inside(build: Builder, spec: Experts, x: Tensor, chosen: Tensor, unary: tuple[str, ...], fused: bool) -> Tensor:
    """What goes down again: gated, or through an activation alone."""
    size, (used, tokens, *_) = spec.expert_size, chosen.extent
    if fused:
        both = _matmul_id(build, "ffn_gate_up_exps", 2 * size, x, chosen)
        halves = (view(both, (size, used, tokens), "half", half) for half in (0, 1))
        return node("glu", (size, used, tokens), *halves)
    up = _by_expert(build, "ffn_up_exps", size, x, chosen)
    if "ffn_gate_exps" in build.roles:
        gate = _by_expert(build, "ffn_gate_exps", size, x, chosen)
        return node("glu", gate.extent, gate, up)
    for operation in unary:
        up = same(operation, up)
    return up


def _sum_of(build: Builder, out: Tensor, used: int) -> Tensor:
    """The outputs of a token's experts, added one after the other."""
    width, _, tokens, _ = out.extent
    parts = [view(out, (width, tokens), "expert", index, used) for index in range(used)]
    for part in parts:
        build.graph.expand(part)
    total = parts[0]
    for part in parts[1:]:
        total = same("add", total, part)
        build.graph.expand(total)
    return same("cont", total) if used == 1 else total


def _matmul_id(build: Builder, role: str, rows: int, x: Tensor, chosen: Tensor) -> Tensor:
    used, tokens, *_ = chosen.extent
    result = node("mul_mat_id", (rows, used, tokens), build.weight(role), x, chosen)
    if build.setting.back_end == "metal":
        number = build.roles["ffn_gate_inp"][-2]
        result.card_size = Size(result.size.fixed + 4 * number * (1 + tokens) + METAL_SCALES)
    return result


def _by_expert(build: Builder, role: str, rows: int, x: Tensor, chosen: Tensor) -> Tensor:
    result = _matmul_id(build, role, rows, x, chosen)
    if role not in build.biases:
        return result
    return same("add_id", result, build.expert_vector(rows * build.roles["ffn_gate_inp"][-2]), chosen)


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
    following.fused += tuple(fused)
