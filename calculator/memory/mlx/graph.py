"""The operations of one pass through a mixer, as mlx-lm's models build them.

`rows` tokens of each sequence pass at once: a piece of the prompt, or one new token. What is computed elementwise takes
the memory of its input; matrices, norms beside a residual, and turns by position do not.

Sources: mlx-lm 0.32.2, `models/llama.py`, `qwen3_next.py`, `qwen3_5.py`, `gemma4_text.py`, `deepseek_v3.py`,
`ssm.py`; mlx 0.32.4, `fast.cpp` (`scaled_dot_product_attention`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calculator.architecture.shape import (
    Attention,
    LatentAttention,
    LinearAttention,
    Mixer,
    Recurrence,
    ShortConvolution,
    StateSpace,
)
from calculator.memory.mlx.tape import Tape

FUSED_HEADS = frozenset({64, 72, 80, 96, 128})
"""Sizes of heads whose attention runs in one kernel, without its scores in memory, when more than eight tokens pass
(mlx, `backend/metal/scaled_dot_product_attention.cpp`: `has_fused_kernel`, `use_fallback`)."""

FEW_ROWS = 8
SSM_STEP = 256  # `ssm.py`
BOOL = 1  # byte


@dataclass(slots=True)
class Pass:
    """One pass of `rows` tokens of `sequences` sequences, of which `past` tokens are cached.

    By role: `outputs` that a matrix makes of a token, of how many `inputs`, and the numbers it is kept in (`packed`).
    The layer has `norms`.
    """

    tape: Tape
    hidden: int
    rows: int
    sequences: int
    past: int
    width: int
    caches_latent: bool
    fused: bool  # attention runs in mlx's own kernel: no cache is packed, no model multiplies scores out itself
    outputs: Mapping[str, int]
    inputs: Mapping[str, int]
    packed: Mapping[str, int]
    norms: int

    @property
    def tokens(self) -> int:
        return self.rows * self.sequences

    def new(self, *inputs: int, numbers: int, times: int = 1) -> int:
        """An operation with an output of `numbers` for each token."""
        return self.tape.run(*inputs, numbers=self.tokens * numbers, width=self.width, times=times)

    def linear(self, role: str, x: int) -> int:
        made = self.tokens * self.outputs.get(role, 0)
        return self.tape.run(x, numbers=made, width=self.width, weights=self.packed.get(role, 0))

    def experts(self, role: str, x: int, numbers: int) -> int:
        return self.tape.run(x, numbers=self.tokens * numbers, width=self.width, weights=self.packed.get(role, 0))

    def all(self, prefix: str, x: int) -> list[int]:
        return [self.linear(role, x) for role in self.outputs if role.startswith(prefix)]


Kept = tuple[int, ...]
"""The caches of a layer."""


def mixed(p: Pass, mixer: Mixer, x: int, kept: Kept, fill: bool) -> int:
    """What a mixer makes of a normalised input. `fill`: it writes its caches; they are read either way."""
    if isinstance(mixer, LatentAttention):
        return _latent(p, mixer, x, kept)
    if isinstance(mixer, Attention):
        return _attention(p, mixer, x, kept, fill)
    if isinstance(mixer, LinearAttention):
        return _linear_attention(p, mixer, x, kept)
    if isinstance(mixer, StateSpace):
        return _state_space(p, mixer, x, kept)
    if isinstance(mixer, ShortConvolution | Recurrence):
        return _recurrence(p, x, kept)
    raise TypeError(f"no graph for {type(mixer).__name__}")


def _attention(p: Pass, mixer: Attention, x: int, kept: Kept, fill: bool) -> int:
    queries, results = mixer.num_heads * mixer.head_dim, mixer.num_heads * mixer.value_head_dim
    q = p.linear("attn_qkv" if "attn_qkv" in p.outputs else "attn_q", x)
    joined = "attn_q" in p.outputs and p.outputs["attn_q"] > queries  # the output's gate is made with the queries
    k = v = q
    if fill and "attn_k" in p.outputs:
        k = p.linear("attn_k", x)
        v = (
            p.linear("attn_v", x)
            if "attn_v" in p.outputs
            else p.new(k, numbers=mixer.num_kv_heads * mixer.value_head_dim)
        )
    gate = p.new(q, numbers=results) if joined else None
    turned = p.new(p.new(q, numbers=queries) if joined else q, numbers=queries)
    if fill:
        turned_k = p.new(k, numbers=mixer.num_kv_heads * mixer.head_dim)
        p.tape.over(kept[0], turned_k)
        p.tape.over(kept[1], v)
    result = _attend(p, mixer.num_heads, mixer.head_dim, mixer.value_head_dim, turned, kept[:2])
    if gate is not None:
        result = p.tape.over(result, gate)
    elif "attn_gate" in p.outputs:
        result = p.tape.over(result, p.linear("attn_gate", x))
    return p.linear("attn_output", result)


def _attend(p: Pass, heads: int, head: int, value_head: int, q: int, kept: Kept) -> int:
    """Scores lie in memory where no kernel is made for this size of head, and where the cache is packed."""
    if p.fused and (p.rows <= FEW_ROWS or (head in FUSED_HEADS and head == value_head)):
        return p.new(q, *kept, numbers=heads * value_head)
    seen = p.past + p.rows
    mask = p.tape.run(numbers=p.rows * seen, width=BOOL, times=3)
    scores = p.new(q, kept[0], numbers=heads * seen, times=2)
    p.tape.over(scores, mask, times=2)
    return p.new(scores, kept[1], numbers=heads * value_head)


def _latent(p: Pass, mixer: LatentAttention, x: int, kept: Kept) -> int:
    q = p.linear("attn_q_b", p.linear("attn_q_a", x)) if "attn_q_a" in p.outputs else p.linear("attn_q", x)
    latent = p.linear("attn_kv_a_mqa", x)
    if p.caches_latent:
        return _from_latent(p, mixer, q, latent, kept)
    head = mixer.qk_nope_head_dim + mixer.qk_rope_head_dim  # every head's keys and values are cached, unpacked
    unpacked = p.linear("attn_kv_b", p.new(latent, numbers=mixer.kv_lora_rank))
    p.tape.over(kept[0], p.new(unpacked, latent, numbers=mixer.num_heads * head, times=2))
    p.tape.over(kept[1], unpacked)
    turned = p.new(q, numbers=mixer.num_heads * head, times=2)
    return p.linear("attn_output", _attend(p, mixer.num_heads, head, mixer.value_head_dim, turned, kept))


def _from_latent(p: Pass, mixer: LatentAttention, q: int, latent: int, kept: Kept) -> int:
    """Prompts unpack keys and values of every head from the latent; the rotary part of the scores is their mask."""
    heads, seen = mixer.num_heads, p.past + p.rows
    turned = p.new(q, numbers=heads * mixer.qk_rope_head_dim)
    compressed = p.new(latent, numbers=mixer.kv_lora_rank)
    p.tape.over(kept[0], compressed)
    p.tape.over(kept[1], latent)
    rotary = p.new(turned, kept[1], numbers=heads * seen)
    mask = p.tape.run(numbers=p.rows * seen, width=BOOL, times=3)
    p.tape.over(rotary, mask)
    if p.rows == 1:
        near = p.new(q, numbers=heads * mixer.kv_lora_rank)
        result = p.new(near, kept[0], rotary, numbers=heads * mixer.kv_lora_rank)
        return p.linear("attn_output", p.new(result, numbers=heads * mixer.value_head_dim))
    cells = p.sequences * heads * seen
    keys = p.tape.run(
        kept[0], numbers=cells * mixer.qk_nope_head_dim, width=p.width, weights=p.packed.get("attn_kv_b", 0) // 2
    )
    values = p.tape.run(
        kept[0], numbers=cells * mixer.value_head_dim, width=p.width, weights=p.packed.get("attn_kv_b", 0) // 2
    )
    plain = p.new(q, numbers=heads * mixer.qk_nope_head_dim)
    if mixer.qk_nope_head_dim in FUSED_HEADS and mixer.qk_nope_head_dim == mixer.value_head_dim:
        result = p.new(plain, keys, values, rotary, numbers=heads * mixer.value_head_dim)
    else:
        scores = p.new(plain, keys, numbers=heads * seen)
        p.tape.over(scores, rotary, times=2)
        result = p.new(scores, values, numbers=heads * mixer.value_head_dim)
    return p.linear("attn_output", result)


def _linear_attention(p: Pass, mixer: LinearAttention, x: int, kept: Kept) -> int:
    """Query, key and value through a convolution, the state through one kernel (`gated_delta.py`)."""
    keys, values = mixer.num_key_heads * mixer.key_head_dim, mixer.num_value_heads * mixer.value_head_dim
    made = [p.linear(role, x) for role in ("attn_qkv", "attn_q", "attn_k", "attn_v") if role in p.outputs]
    gates = [
        p.linear(role, x) for role in p.outputs if role in ("attn_gate", "ssm_alpha", "ssm_beta", "ssm_ba", "ssm_g")
    ]
    gates += p.all("ssm_f_", x) + p.all("ssm_g_", x)
    if mixer.conv_channels:
        joined = p.new(*made, *kept[:1], numbers=mixer.conv_channels, times=2)
        p.tape.retain(joined)
        made = [p.new(joined, numbers=mixer.conv_channels, times=2)]
    q, k = p.new(*made, numbers=keys, times=2), p.new(*made, numbers=keys, times=2)
    v = p.new(*made, numbers=values)
    result = p.new(q, k, v, *gates[1:], numbers=values)
    p.tape.over(kept[-1], q, k, v)
    p.tape.over(result, *gates[:1], times=2)
    return p.linear("ssm_out" if "ssm_out" in p.outputs else "attn_output", result)


def _state_space(p: Pass, mixer: StateSpace, x: int, kept: Kept) -> int:
    """Mamba-2 takes a prompt in pieces of 256 tokens, each with a matrix of decays for every head (`ssm_attn`)."""
    channels = mixer.inner_size + 2 * mixer.num_groups * mixer.state_size
    made = p.linear("ssm_in", x)
    joined = p.new(made, *kept[:1], numbers=channels, times=2)
    p.tape.retain(joined)
    convolved = p.new(joined, numbers=channels, times=2)
    weighted = p.new(convolved, made, numbers=mixer.inner_size, times=2)
    step = min(SSM_STEP, p.rows)
    pieces = range(-(-p.rows // step))
    square, part = p.sequences * max(mixer.num_heads, 1) * step * step, p.sequences * step * mixer.inner_size
    decays = [p.tape.run(weighted, numbers=square, width=p.width, times=4) for _ in pieces]
    decays = [p.tape.run(array, numbers=square, width=p.width, times=2) for array in decays]
    mixes = [p.tape.run(convolved, numbers=square, width=p.width, times=2) for _ in pieces]
    results = []
    for decay, mix in zip(decays, mixes, strict=True):
        p.tape.over(mix, decay, times=2)
        result = p.tape.run(mix, weighted, numbers=part, width=p.width)
        carried = p.tape.run(weighted, convolved, numbers=part, width=p.width, times=3)
        p.tape.over(kept[-1], carried, times=3)
        results.append(p.tape.over(result, kept[-1], times=3))
    result = p.new(*results, numbers=mixer.inner_size)
    p.tape.over(result, made, convolved, times=3)
    return p.linear("ssm_out", result)


def _recurrence(p: Pass, x: int, kept: Kept) -> int:
    """A gated convolution (LFM2) or another small state: as wide as its projections."""
    entering = [role for role in p.outputs if role.endswith(("in_proj", "rec_x", "rec_y"))]
    made = [p.linear(role, x) for role in entering]
    gated = p.new(*made, numbers=p.hidden)
    joined = p.new(gated, *kept[:1], numbers=p.hidden, times=2)
    p.tape.retain(joined)
    result = p.new(joined, *made, numbers=p.hidden, times=2)
    leaving = next((role for role in p.outputs if role.endswith(("out_proj", "rec_out"))), None)
    return p.linear(leaving, result) if leaving else result
