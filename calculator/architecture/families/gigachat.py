"""GigaChat 3.5: gated delta net and gated latent attention, each norm gated by a narrow map of what it norms.

Sources: vLLM's `models/gigachat3_5.py` (a pull request of August 2026), SGLang's `configs/gigachat3_5.py`.
"""

from __future__ import annotations

from calculator.architecture.attention import latent_attention
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.standard import SANDWICH_NORMS, Family, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.linear_attention import gated_delta
from calculator.architecture.prediction import around as beside_layer
from calculator.architecture.tensors import Block, Weight, linear, norms

RANK = 16  # of the gate of a norm
ONLY = {
    "norm_type": "ZeroCenteredGatedNorm",
    "layernorm_type": "pre_post",
    "linear_attention_type": "Qwen3NextGatedDeltaNet",
}
"""What these keys may say; else a layer has other tensors."""


def gigachat(c: Fields) -> Decoder:
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    for key, known in ONLY.items():
        if (word := c.word(key, known)) != known:
            raise c.fail(key, "unsupported_value", value=word[:40])
    if c.word("linear_gating_type", "gated_rmsnorm") == "sigmoid_gate":
        raise c.fail("linear_gating_type", "unsupported_value", value="sigmoid_gate")
    if not c.flag("linear_use_short_conv", True):
        raise c.fail("linear_use_short_conv", "unsupported_value", value=False)
    c.ignore("linear_sigmoid_gate_scale", "layernorm_gating_weight", "use_mla_scaling_factor", "nextn_is_sparse")
    c.ignore("linear_use_legacy_qkvz_layout", "linear_attn_o_norm_eps", "output_gate_type", "topk_method")
    c.ignore("attention_distillation", "attention_type", "num_krope_heads")
    kinds, mlps = _kinds(c, number), first_dense(c)
    inner = _gate("attn_q_a_norm", c.size("q_lora_rank")) + _gate("attn_kv_a_norm", c.size("kv_lora_rank"))
    gate = "elements" if c.flag("gated_attention") else ""
    mixers = {"full": latent_attention(c, gate=gate) + Block(inner), "recurrent": gated_delta(c, joined_beta=True)}
    around = norms(SANDWICH_NORMS, hidden)
    around += Block(tuple(weight for role in SANDWICH_NORMS for weight in _gate(role, hidden)))
    spec = read_experts(c, shared="count")
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": experts(hidden, spec, correction="buffer", shared_gate=c.flag("use_shared_expert_sigmoid")),
    }
    layers = [around + mixers[kind] + feed_forwards[mlp] for kind, mlp in zip(kinds, mlps, strict=True)]
    guess = around + mixers["full"] + feed_forwards["sparse" if c.flag("nextn_is_sparse") else "dense"]
    guess += Block(beside_layer(hidden))
    for role in ("nextn.enorm", "nextn.hnorm", "nextn.shared_head_norm"):
        guess += Block(_gate(role, hidden))
    return decoder(c, layers, extra=_gate("output_norm", hidden), mtp=[guess] * c.count("num_mtp_layers"))


def _kinds(c: Fields, number: int) -> list[str]:
    """By word, or all linear but those listed."""
    listed = c.sizes("full_attention_layers", least=0)
    if listed is None and not c.has("layer_types"):
        raise c.fail("layer_types", "missing")
    if listed is None:
        kinds = layer_kinds(c)
    else:
        full = set(listed)
        kinds = ["full" if index in full else "recurrent" for index in range(number)]
    unknown = next((kind for kind in kinds if kind not in ("full", "recurrent")), None)
    if unknown is not None:
        raise c.fail("layer_types", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    return kinds


def _gate(role: str, width: int) -> tuple[Weight, ...]:
    return linear(f"{role}_gate_a", RANK, width) + linear(f"{role}_gate_b", width, RANK)


FAMILIES: dict[str, Family] = {"gigachat3_5": gigachat}
