"""One layer after another, as the builders in `src/models/*.cpp` put them."""

from __future__ import annotations

from calculator.architecture.shape import Dense, Experts
from calculator.memory.llama_cpp.graph.attention import mix
from calculator.memory.llama_cpp.graph.builder import Builder, NotTracedError
from calculator.memory.llama_cpp.graph.feed_forward import dense, experts
from calculator.memory.llama_cpp.graph.specs import LayerSpec
from calculator.memory.llama_cpp.graph.styles import Style
from calculator.memory.llama_cpp.graph.tensors import Tensor, node, same, view


def add_layer(build: Builder, style: Style, spec: LayerSpec, x: Tensor, last: bool) -> Tensor:
    """The layer's output; of the last one only the rows that are asked for."""
    build.roles, build.biases = dict(spec.roles), spec.biases
    residual = x
    cur = build.norm("attn_norm", x) if "attn_norm" in build.roles else x
    normed = cur
    if spec.mixers:
        cur = mix(build, style, spec, cur, x)
    cuts = bool(spec.mixers) and last and style.cuts
    if "attn_norm_2" in build.roles:  # of two norms, one is attention's
        normed = build.norm("attn_norm_2", residual)
    if cuts and not style.cuts_sum:
        cur, residual = _asked_for(build, cur), _asked_for(build, residual)
        if style.parallel:
            normed = _asked_for(build, normed)
    if style.parallel:
        if "ffn_norm" in build.roles:
            normed = build.norm("ffn_norm", residual)
        fed = _feed(build, style, spec, normed)
        if style.attention_first:
            return same("add", same("add", cur, fed), residual)
        return same("add", same("add", fed, residual), cur)
    if spec.mixers:
        if "post_attention_norm" in build.roles:
            cur = build.norm("post_attention_norm", cur)
        cur = same("add", residual, cur) if style.residual_first else same("add", cur, residual)
        if cuts and style.cuts_sum:
            cur = _asked_for(build, cur)
    if spec.feed_forward is None:
        return cur
    residual = cur if spec.mixers else residual
    if "pre_ffw_norm_2" in build.roles and isinstance(spec.feed_forward, Experts):
        cur = _dense_beside_experts(build, spec.feed_forward, cur)
    else:
        if spec.mixers and "ffn_norm" in build.roles:
            cur = build.norm("ffn_norm", cur)
        cur = _feed(build, style, spec, cur)
    if "post_ffw_norm" in build.roles:
        cur = build.norm("post_ffw_norm", cur)
    first = style.residual_first or style.residual_first_fed
    cur = same("add", residual, cur) if first else same("add", cur, residual)
    if "inp_gate" in build.roles:
        cur = _add_per_layer_input(build, cur)
    return same("mul", cur, build.vector(1)) if "layer_output_scale" in build.biases | set(build.roles) else cur


def _asked_for(build: Builder, x: Tensor) -> Tensor:
    """The rows of the tokens whose logits are read."""
    outputs = build.setting.outputs
    return node("get_rows", (x.rows, outputs), x, build.input("out_ids", (outputs,)))


def _dense_beside_experts(build: Builder, ffn: Experts, x: Tensor) -> Tensor:
    """A dense network and experts read the same input (`src/models/gemma4.cpp`)."""
    fed = build.norm("post_ffw_norm_1", dense(build, build.norm("ffn_norm", x)))
    inner = build.norm("pre_ffw_norm_2", x)
    logits = build.project("ffn_gate_inp", same("mul", same("scale", same("rms_norm", x)), build.vector(x.rows)))
    out = experts(build, inner, ffn, logits=logits, fused=True, down_scaled="ffn_down_exps_scale" in build.roles)
    return same("add", fed, build.norm("post_ffw_norm_2", out))


def _add_per_layer_input(build: Builder, x: Tensor) -> Tensor:
    width, tokens = build.roles["inp_gate"][-2], x.extent[1]
    if build.per_layer is None:
        raise NotTracedError("inp_gate")
    own = view(build.per_layer, (width, tokens), "block", build.layer)
    cur = same("mul", same("unary", build.project("inp_gate", x)), own)
    return same("add", x, build.norm("post_norm", build.project("proj", cur)))


def _feed(build: Builder, style: Style, spec: LayerSpec, x: Tensor) -> Tensor:
    ffn = spec.feed_forward
    if isinstance(ffn, Dense):
        fused = ffn.intermediate_size if build.roles["ffn_up"][-2] > ffn.intermediate_size else 0
        return dense(build, x, fused_width=fused, unary=style.unary)
    if not isinstance(ffn, Experts):
        raise NotTracedError(type(ffn).__name__)
    shared_first = style.shared_first and "ffn_up_shexp" in build.roles
    early = _shared(build, style, ffn, x) if shared_first else None
    narrow = next((role for role in ("ffn_latent_down", "ffn_routed_down") if role in build.roles), "")
    inner = build.project(narrow, x) if narrow else x
    out = experts(
        build,
        inner,
        ffn,
        probabilities=style.probabilities or _probabilities(build),
        weigh_first=style.weigh_first,
        unary=style.unary,
        normalised=style.normalises and ffn.normalised,
        logits=build.project("ffn_gate_inp", x) if narrow else None,
    )
    if narrow:
        out = build.project(narrow.replace("down", "up"), out)
    if "ffn_up_shexp" in build.roles:
        shared = early or _shared(build, style, ffn, x)
        out = same("add", out, shared)
    if "ffn_up" in build.roles and "ffn_norm_exps" not in build.roles:  # beside them: `grok.cpp`
        out = same("scale", same("add", dense(build, x), out))
    return out


def _probabilities(build: Builder) -> str:
    """`expert_gating_func`: every family but Ernie's that adds a bias to choose experts takes the sigmoid."""
    return "unary" if "exp_probs_b" in build.biases | set(build.roles) else "soft_max"


def _shared(build: Builder, style: Style, ffn: Experts, x: Tensor) -> Tensor:
    fused = ffn.shared_size if build.roles["ffn_up_shexp"][-2] > ffn.shared_size else 0
    result = dense(build, x, "_shexp", fused_width=fused, unary=style.unary)
    if "ffn_gate_inp_shexp" in build.roles:
        result = same("mul", result, same("unary", build.project("ffn_gate_inp_shexp", x)))
    return result
