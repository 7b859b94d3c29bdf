"""DeepSeek-V4.1: a few layers compress what lies before the window, and those behind them read it.

Source: transformers (main, November 2026), `models/deepseek_v41` (`modeling_deepseek_v41.py`,
`configuration_deepseek_v41.py`); of the layers that draft vLLM's `models/deepseek_v41/nvidia/dspark.py` and
`model_executor/models/qwen3_dspark.py`. All of it comes to the 763,205,315,794 numbers of the published checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from calculator.architecture.attention import read_indexer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.hyper_connections import around_layer
from calculator.architecture.families.standard import PRE_NORMS, Family
from calculator.architecture.feed_forward import experts
from calculator.architecture.fields import Fields
from calculator.architecture.shape import NGRAMS, CompressedAttention, Experts, Indexer, SharedCompressedAttention
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector


class _Sources(NamedTuple):
    """How many tokens a compressed vector stands for in each layer (0: it sees its window alone), the layers that keep
    such vectors, those that choose among them, and the one from whose choice all later ones choose (-1: none)."""

    spans: Sequence[int]
    keep: frozenset[int]
    choose: frozenset[int]
    candidates: int


def deepseek_v41(c: Fields) -> Decoder:
    number, hidden = c.size("num_layers"), c.size("hidden_size")
    sources = _sources(c, number)
    c.ignore("attention_bias", "num_kv_heads", "hc_sinkhorn_iters", "layer_types", "engram_vocab_size")
    c.ignore(
        "engram_compressed_vocab_size", "engram_pad_token_id", "expert_dtype", "intermediate_size", "qk_rope_head_dim"
    )
    around = norms(PRE_NORMS, hidden) + around_layer(c, 3)
    spec = _mixture(c, c.size("num_experts"), c.size("num_active_experts"))
    feed_forward = _experts(hidden, spec)
    tables = _ngrams(c)
    outside = next((index for index in tables if index >= number), None)
    if outside is not None:
        raise c.fail("engram_layer_ids", "out_of_range", value=outside, least=0, most=number - 1)
    layers = [
        around + _attention(c, sources, index) + feed_forward + tables.get(index, Block()) for index in range(number)
    ]
    return decoder(c, layers, mtp=_drafting(c, around))


def _sources(c: Fields, number: int) -> _Sources:
    """As `DeepseekV41TextConfig.__post_init__` fills in what a file leaves out."""
    spans = c.sizes("compress_ratios")
    if spans is None:
        before = min(2, number)
        twice = max(0, (number - before + 1) // 2)
        spans = [0] * before + [2] * twice + [1] * (number - before - twice)
    if len(spans) < number:
        raise c.fail("compress_ratios", "wrong_length", length=len(spans), expected=number)
    spans = spans[:number]
    keep, choose = c.sizes("kv_source_layer_ids"), c.sizes("index_source_layer_ids")
    if keep is None:
        keep = [index for index in range(number) if spans[index] and (not index or spans[index] != spans[index - 1])]
    choose = keep if choose is None else choose
    candidates = c.size("candidate_source_layer_id", keep[-1] if keep else -1, least=-1)
    for name, listed in (("kv_source_layer_ids", keep), ("index_source_layer_ids", choose)):
        unfit = next((index for index in listed if index >= number or not spans[index]), None)
        if unfit is not None:
            raise c.fail(name, "unsupported_value", value=unfit)
    first = next((index for index in range(number) if spans[index]), number)
    if first < number and (first not in keep or first not in choose):
        raise c.fail("kv_source_layer_ids", "unsupported_value", value=first)
    return _Sources(spans, frozenset(keep), frozenset(choose), candidates)


def _attention(c: Fields, sources: _Sources, index: int) -> Block:
    hidden, heads, head_dim = c.size("hidden_size"), c.size("num_heads"), c.size("head_dim")
    rank, span = c.size("q_lora_rank"), sources.spans[index]
    indexer = read_indexer(c) if index in sources.choose else None
    weights = _projections(c)
    if index in sources.keep:
        weights += linear("attn_compressor_kv", head_dim, hidden) + norm("attn_compressor_norm", head_dim)
        weights += linear("attn_compressor_gate", head_dim, hidden) if span > 1 else ()
    if indexer is not None:
        weights += linear("indexer.attn_q_b", indexer.num_heads * indexer.head_dim, rank)
        weights += linear("indexer.proj", indexer.num_heads, hidden)
    if indexer is not None and index in sources.keep:
        weights += linear("indexer.attn_k", indexer.head_dim, head_dim) + norm("indexer.k_norm", indexer.head_dim)
    return Block(weights, (_mixer(c, sources, index, heads, head_dim, indexer),))


def _mixer(
    c: Fields, sources: _Sources, index: int, heads: int, head_dim: int, indexer: Indexer | None
) -> CompressedAttention:
    window, span = c.size("sliding_window"), sources.spans[index]
    if not span or index in sources.keep:
        return CompressedAttention(
            num_heads=heads, head_dim=head_dim, window=window, compression=span or None, indexer=indexer
        )
    pool = c.size("candidate_topk_blocks", 2048) * c.size("candidate_block_size", 8)
    return SharedCompressedAttention(
        num_heads=heads,
        head_dim=head_dim,
        window=window,
        indexer=indexer,
        span=span,
        chosen=c.size("index_topk"),
        scored=pool if 0 <= sources.candidates < index else None,
    )


def _projections(c: Fields) -> tuple[Weight, ...]:
    """Of queries, of the one vector that is key and value, and of the output in groups."""
    hidden, heads, head_dim = c.size("hidden_size"), c.size("num_heads"), c.size("head_dim")
    rank, groups, out_rank = c.size("q_lora_rank"), c.size("o_groups"), c.size("o_lora_rank")
    weights = linear("attn_q_a", rank, hidden) + norm("attn_q_a_norm", rank)
    weights += linear("attn_q_b", heads * head_dim, rank)
    weights += linear("attn_kv", head_dim, hidden) + norm("attn_kv_a_norm", head_dim) + vector("attn_sinks", heads)
    weights += linear("attn_output_a", groups * out_rank, heads * head_dim // groups)
    return weights + linear("attn_output_b", hidden, groups * out_rank)


def _mixture(c: Fields, number: int, active: int) -> Experts:
    """One shared expert, however many the file counts (`DeepseekV41SparseMoeBlock`)."""
    size = c.size("expert_size")
    c.ignore("num_shared_experts")
    return Experts(
        num_experts=number,
        num_active_experts=active,
        expert_size=size,
        num_shared_experts=1,
        shared_size=size,
        normalised=c.flag("norm_topk_prob", True),
        scaled=c.value("routed_scale") not in (None, 0, 1),
    )


def _experts(hidden: int, spec: Experts) -> Block:
    """Tokens of images have a correction of the router's choice to themselves."""
    seen = Block(vector("exp_probs_b_vision", spec.num_experts, kind="bias"))
    return experts(hidden, spec, correction="bias") + seen


def _ngrams(c: Fields) -> dict[int, Block]:
    """Tables of hashed groups of tokens, by the layer that looks them up: a key for each stream, and one value."""
    at, rows = c.sizes("engram_layer_ids") or [], c.sizes("engram_num_embeddings") or []
    if len(rows) != len(at):
        raise c.fail("engram_num_embeddings", "wrong_length", length=len(rows), expected=len(at))
    hidden, streams, width = c.size("hidden_size"), c.size("hc_mult", 4), c.size("engram_head_dim", 256)
    hashes = (c.size("engram_max_ngram_size", 4) - 1) * c.size("engram_n_heads", 8)
    alike = linear("ngram.kv", hidden * (streams + 1), hashes * width)
    alike += vector("ngram.q_norm", streams, hidden) + vector("ngram.k_norm", streams, hidden)
    return {layer: Block((Weight(NGRAMS, (number, width)), *alike)) for layer, number in zip(at, rows, strict=True)}


def _drafting(c: Fields, around: Block) -> list[Block]:
    """DSpark: layers with a window and experts of their own; the first takes in what some layers of the model hold, the
    last has a table of what follows a token."""
    number, hidden, vocabulary = c.count("num_mtp_layers", 3), c.size("hidden_size"), c.size("vocab_size")
    rank, seen = c.size("dspark_markov_rank", 256), c.sizes("dspark_target_layer_ids")
    spec = _mixture(c, c.size("dspark_n_routed_experts", 128), c.size("dspark_num_experts_per_tok", 3))
    c.ignore("dspark_block_size", "dspark_noise_token_id")
    if not number:
        return []
    window = CompressedAttention(
        num_heads=c.size("num_heads"), head_dim=c.size("head_dim"), window=c.size("sliding_window")
    )
    layer = around + Block(_projections(c), (window,)) + _experts(hidden, spec)
    taken_in = linear("nextn.main_proj", hidden, hidden * (3 if seen is None else len(seen)))
    first = Block(taken_in + norm("nextn.main_norm", hidden))
    follows = linear("nextn.markov_w1", vocabulary, rank) + linear("nextn.markov_w2", vocabulary, rank)
    last = Block(norm("nextn.norm", hidden) + follows + linear("nextn.confidence", 1, hidden + rank))
    blocks = [layer] * number
    blocks[0] += first
    blocks[-1] += last
    return blocks


FAMILIES: dict[str, Family] = {"deepseek_v41_text": deepseek_v41}
