"""Layers that differ in their number of heads or the size of their feed-forward."""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder, kind_of, layer_kinds
from calculator.architecture.families.standard import PRE_NORMS, Family, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts, scales_routed
from calculator.architecture.fields import Fields
from calculator.architecture.per_token import RESTING_EXPERTS
from calculator.architecture.prediction import around
from calculator.architecture.shape import Experts
from calculator.architecture.tensors import Block, Weight, linear, norms, vector


def mimo_v2_flash(c: Fields) -> Decoder:
    """MiMo-V2-Flash: windowed layers have key/value heads, head sizes and sinks of their own; values are narrower."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    listed = c.sizes("hybrid_layer_pattern", number)
    if c.has("layer_types"):
        kinds = layer_kinds(c)
    elif listed is not None:
        kinds = ["sliding" if flag else "full" for flag in listed]
    else:
        kinds = ["full" if i == 0 or (i + 1) % 6 == 0 else "sliding" for i in range(number)]
    heads, kv_heads = c.size("num_heads"), c.size("num_kv_heads")
    head_dim, value_dim = c.size("head_dim"), c.size("value_head_dim")
    windowed = (
        c.size("swa_num_attention_heads", heads),
        c.size("swa_num_key_value_heads", 2 * kv_heads),
        c.size("swa_head_dim", head_dim),
        c.size("swa_v_head_dim", value_dim),
    )
    sinks = c.flag("add_full_attention_sink_bias"), c.flag("add_swa_attention_sink_bias", True)
    bias = c.flag("attention_bias")
    c.ignore("sliding_window", "attention_chunk_size", "num_shared_experts", "attention_projection_layout")
    mixers = {}
    for kind in dict.fromkeys(kinds):
        numbers = windowed if kind == "sliding" else (heads, kv_heads, head_dim, value_dim)
        mixers[kind] = attention(hidden, mixer(c, kind, *numbers), qkv_bias=bias, sinks=sinks[kind == "sliding"])
    mlps = first_dense(c, 1)
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": experts(hidden, read_experts(c), correction="buffer"),
    }
    around_parts = norms(PRE_NORMS, hidden)
    layers = [around_parts + mixers[k] + feed_forwards[m] for k, m in zip(kinds, mlps, strict=True)]
    if "sliding" not in mixers:
        return decoder(c, layers)
    # The file holds more of them; engines load the first (`mimo_v2_mtp.py`, _MIMO_V2_FLASH_NUM_MTP_LAYERS).
    guessing = around_parts + mixers["sliding"] + feed_forwards["dense"] + Block(around(hidden))
    return decoder(c, layers, mtp=(guessing,))


def step3(c: Fields) -> Decoder:
    """Step 3.5 and 3.7: a gate by head, query heads of their own for windowed layers, `moe_layers_enum`."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    if c.nested:
        c.ignore("num_nextn_predict_layers")
    extra = c.count("num_mtp_layers", 0)
    words = c.words("layer_types")
    if words is not None and len(words) == number + extra:  # the rest belongs to multi-token prediction
        c.config = {**c.config, "layer_types": words[:number]}
    guessing = _guessing_kinds(c, words or [], number, extra)
    kinds = layer_kinds(c, "F")
    listed = c.value("moe_layers_enum")
    if c.has("mlp_layer_types") or listed is None:
        mlps = first_dense(c, 3)
    else:
        text = listed.split(",") if isinstance(listed, str) else listed
        sparse = {int(word) for word in text if str(word).strip().isdigit()} if isinstance(text, list) else set()
        mlps = ["sparse" if i in sparse else "dense" for i in range(number)]
    other = c.part("attention_other_setting", c.model_type)
    heads, kv_heads, head_dim = c.size("num_heads"), c.size("num_kv_heads"), c.size("head_dim")
    windowed = other.size("num_heads", heads) if other else c.size("num_sliding_attention_heads", heads)
    if other:
        other.ignore("attention_type", "num_kv_heads", "head_dim", "true_head_dim")
    bias = c.flag("attention_bias")
    shared = c.count("shared_expert_size")
    number_of = c.size("n_routed_experts", None) or c.size("moe_num_experts", None) or c.size("num_experts")
    spec = Experts(
        num_experts=number_of,
        num_active_experts=c.size("num_active_experts"),
        expert_size=c.size("expert_size"),
        num_shared_experts=int(shared > 0),
        shared_size=shared,
        scaled=scales_routed(c),
    )
    c.ignore("num_experts", "num_shared_experts", "use_moe_router_bias", "use_head_wise_attn_gate", "use_moe")
    c.ignore("sliding_window", "need_fp32_gate")
    c.ignore("moe_every_n_layer", "norm_expert_weight", "swiglu_limits_shared")
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size"), bias=c.flag("mlp_bias")),
        "sparse": experts(hidden, spec, correction="buffer"),
    }
    mixers = {
        kind: attention(
            hidden,
            mixer(c, kind, windowed if kind == "sliding" else heads, kv_heads, head_dim),
            qkv_bias=bias,
            out_bias=bias,
            qk_norm="head",
            gate="heads",
        )
        for kind in dict.fromkeys((*kinds, *guessing))
    }
    c.ignore("per_layer_config")
    around_parts = norms(PRE_NORMS, hidden)
    own_head = Block(around(hidden) + linear("nextn.shared_head_head", c.size("vocab_size"), hidden))
    sorts = c.words("mtp_mlp_layer_types", len(guessing)) or ["dense"] * len(guessing)
    for sort in sorts:
        if sort not in feed_forwards:
            raise c.fail("mtp_mlp_layer_types", "unknown_layer_kind", kind=sort, model_type=c.model_type)
    return decoder(
        c,
        [around_parts + mixers[k] + feed_forwards[m] for k, m in zip(kinds, mlps, strict=True)],
        mtp=[around_parts + mixers[k] + feed_forwards[m] + own_head for k, m in zip(guessing, sorts, strict=True)],
    )


def _guessing_kinds(c: Fields, words: list[str], number: int, extra: int) -> list[str]:
    """Of the layers that predict: behind the others, or apart (`_get_layer_type` in vLLM's `step3p5.py`); none where
    the config does not say."""
    apart = c.words("mtp_layer_types")
    listed = apart if apart is not None else words[number:]
    return [kind_of(c, word, "mtp_layer_types") for word in listed] if extra and len(listed) == extra else []


def nemotron_nas(c: Fields) -> Decoder:
    """Nemotron NAS (DeciLM): `block_configs` says by layer how many queries share a key, how wide the feed-forward is,
    and what is left out or replaced by one linear map (arXiv:2411.19146)."""
    hidden, heads, number = c.size("hidden_size"), c.size("num_heads"), c.size("num_layers")
    head_dim = c.size("head_dim", None) or hidden // heads
    bias, mlp_bias = c.flag("attention_bias"), c.flag("mlp_bias")
    c.ignore("num_kv_heads", "intermediate_size", "num_key_value_heads_per_layer")
    configs = c.value("block_configs")
    if not isinstance(configs, (list, tuple)):
        raise c.fail("block_configs", "missing" if configs is None else "not_a_list")
    if len(configs) != number:
        raise c.fail("block_configs", "wrong_length", length=len(configs), expected=number)

    def layer(index: int, config: object) -> Block:
        if not isinstance(config, Mapping):
            raise c.fail("block_configs", "not_an_object", index=index)
        part = Fields(config, c.model_type, path=f"{c.path}block_configs.{index}.", nested=True, faults=c.faults)
        attn, ffn = part.part("attention", c.model_type), part.part("ffn", c.model_type)
        if attn is None or ffn is None:
            raise part.fail("attention" if attn is None else "ffn", "missing")
        block = Block()
        if attn.flag("replace_with_linear"):
            block += norms(("attn_norm",), hidden) + Block(linear("attn_output", hidden, hidden))
        elif not attn.flag("no_op"):
            spec = mixer(c, "full", heads, max(heads // attn.size("n_heads_in_group"), 1), head_dim)
            block += norms(("attn_norm",), hidden) + attention(hidden, spec, qkv_bias=bias, out_bias=bias)
        if ffn.flag("replace_with_linear"):
            block += norms(("ffn_norm",), hidden) + Block(linear("ffn_down", hidden, hidden))
        elif not ffn.flag("no_op"):
            block += norms(("ffn_norm",), hidden) + dense(hidden, _nas_size(ffn, hidden), bias=mlp_bias)
        return block

    return decoder(c, [layer(index, config) for index, config in enumerate(configs)])


def _nas_size(ffn: Fields, hidden: int) -> int:
    """Two thirds of `ffn_mult` times the hidden size, rounded up to 256 (llama.cpp, conversion/deci.py)."""
    if ffn.has("intermediate_size"):
        return ffn.size("intermediate_size")
    if not ffn.has("ffn_mult"):
        ffn.fault("ffn_mult", "missing")
    multiple = ffn.number("ffn_mult", 1)
    return 256 * -(-int(2 * multiple * hidden / 3) // 256)


def ernie4_5_vl(c: Fields) -> Decoder:
    """ERNIE 4.5 VL: in the sparse layers tokens of images have experts of their own, which rest while text is written.
    Files say numbers and sizes of both, text first."""
    hidden = c.size("hidden_size")
    numbers, sizes, firsts, lasts, shared = (
        _of_both(c, name) for name in ("num_experts", "expert_size", *_ERNIE_RANGE, "num_shared_experts")
    )
    if c.has("mlp_layer_types"):
        mlps = layer_kinds(c, name="mlp_layer_types")
    else:
        number, step = c.size("num_layers"), c.size("moe_layer_interval", 1)
        last = number - 1 if lasts[0] in (0, -1) else lasts[0]
        mlps = ["sparse" if (i + 1) % step == 0 and firsts[0] <= i <= last else "dense" for i in range(number)]
    c.ignore("moe_use_aux_free", "use_bias", "moe_multimodal_dispatch_use_allgather", "moe_layer_interval")
    spec = Experts(
        num_experts=numbers[0],
        num_active_experts=c.size("num_active_experts"),
        expert_size=sizes[0],
        num_shared_experts=shared[0],
        shared_size=shared[0] * sizes[0],
    )
    seeing = linear("ffn_gate_inp_vision", numbers[1], hidden) + vector("exp_probs_b_vision", numbers[1], kind="bias")
    for name, shape in (("gate", (sizes[1], hidden)), ("up", (sizes[1], hidden)), ("down", (hidden, sizes[1]))):
        seeing += (Weight(f"ffn_{name}{RESTING_EXPERTS}", (numbers[1], *shape), routed=True),)
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": experts(hidden, spec, correction="bias") + Block(seeing),
    }
    layer = norms(PRE_NORMS, hidden) + attention(hidden, mixer(c, "full", *geometry(c)))
    return decoder(c, [layer + feed_forwards[mlp] for mlp in mlps])


_ERNIE_RANGE = ("moe_layer_start_index", "moe_layer_end_index")


def _of_both(c: Fields, name: str) -> tuple[int, int]:
    if isinstance(c.value(name), (list, tuple)):
        found = c.sizes(name, 2, least=-1) or [1, 1]
        return found[0], found[-1]
    number = c.count(name)
    return number, number


FAMILIES: dict[str, Family] = {
    "deci": nemotron_nas,
    "ernie4_5_vl_moe_text": ernie4_5_vl,
    "mimo_v2": mimo_v2_flash,
    "mimo_v2_flash": mimo_v2_flash,
    "nemotron-nas": nemotron_nas,
    "step3p5": step3,
    "step3p7": step3,
}
