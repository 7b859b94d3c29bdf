"""Granite Switch: Granite's layers, each with adapters of low rank in their checkpoint, and before them one more that
attends to tell which adapter a token takes.

Source: IBM's `granite_switch/config.py` and `granite_switch/hf` (generative-computing/granite-switch).
"""

from __future__ import annotations

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, Weight, norms

GROUPS = ("qkv_proj", "o_proj", "shared_input_linear", "shared_output_linear")


def _adapters(c: Fields, number: int, slices: dict[str, tuple[str, int, tuple[int, ...]]]) -> tuple[Weight, ...]:
    """For each part of a joined matrix two stacks, as wide as the widest adapter."""
    ranks = c.sizes("adapter_ranks", number, least=1)
    rank = max(ranks) if ranks else c.size("max_lora_rank", 8)
    chosen = c.words("lora_target_modules")
    unknown = next((name for name in chosen or () if name not in GROUPS), None)
    if unknown is not None:
        raise c.fail("lora_target_modules", "unsupported_value", value=unknown[:40])
    weights: tuple[Weight, ...] = ()
    for group in GROUPS if chosen is None else dict.fromkeys(chosen):
        role, input_, outputs = slices[group]
        for output in outputs:
            weights += (
                Weight(f"{role}_lora_a", (number, rank, input_)),
                Weight(f"{role}_lora_b", (number, output, rank)),
            )
    return weights


def granite_switch(c: Fields) -> Decoder:
    """Before control tokens were exchanged for others, each was hidden by dimensions that keys and values have more."""
    hidden, number, (heads, kv_heads, head_dim) = c.size("hidden_size"), c.size("num_layers"), geometry(c)
    count, inner = c.count("num_adapters"), c.size("shared_expert_size", None) or c.size("intermediate_size")
    if c.count("num_experts"):
        raise c.fail("num_experts", "unsupported_value", value=c.count("num_experts"))
    if c.count("ms_code_m"):  # several adapters in a sequence, by a code of several layers
        raise c.fail("ms_code_m", "unsupported_value", value=c.count("ms_code_m"))
    if c.has("layer_types") and set(c.words("layer_types", number) or ()) - {"attention", "full_attention"}:
        raise c.fail("layer_types", "unsupported_value", value="mamba")
    c.ignore("adapter_token_ids", "adapter_substitute_token_ids", "switch_head_dim", "intermediate_size", "num_experts")
    c.ignore("num_active_experts", "max_lora_rank", "sliding_window", "hiding_groups", "projection_head_dim")
    c.ignore("ssm_heads", "ssm_head_dim", "ssm_groups", "ssm_state_size", "ssm_conv_kernel", "ssm_expand", "ssm_chunk")
    c.ignore("ssm_conv_bias", "ssm_bias", "adapter_ranks", "lora_target_modules")
    hides = count > 0 and not c.has("adapter_substitute_token_ids")
    more = c.count("control_dims", 32) if hides else 0
    c.ignore("control_dims")
    bias, normed = c.flag("attention_bias"), "head" if c.flag("qk_norm") else ""
    stored = attention(
        hidden,
        mixer(c, "full", heads, kv_heads, head_dim),
        qkv_bias=bias,
        out_bias=bias,
        fused_qkv=True,
        qk_norm=normed,
    )
    block = norms(PRE_NORMS, hidden) + Block(stored.weights, (mixer(c, "full", heads, kv_heads, head_dim + more),))
    block += dense(hidden, inner, fused=True)
    if not count:
        return decoder(c, [block] * number)
    queries, keys = heads * head_dim, kv_heads * head_dim
    slices = {
        "qkv_proj": ("attn_qkv", hidden, (queries, keys, keys)),
        "o_proj": ("attn_output", queries, (hidden,)),
        "shared_input_linear": ("ffn_up", hidden, (inner, inner)),
        "shared_output_linear": ("ffn_down", inner, (hidden,)),
    }
    block += Block(_adapters(c, count, slices))
    switch = Block((), (mixer(c, "full", 1, 1, head_dim + more),))
    return decoder(c, [switch, *[block] * (number - 1)])


FAMILIES: dict[str, Family] = {"granite_switch": granite_switch}
