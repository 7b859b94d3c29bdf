"""Qwen4-Exp: gated delta nets and attention that an indexer picks tokens for, on several residual streams; some layers
look groups of tokens up in a table.

Source: transformers 5.24.0, `models/qwen4_exp` (`modular_qwen4_exp.py`).
"""

from __future__ import annotations

from itertools import count, islice
from math import isqrt

from calculator.architecture.attention import attention, geometry
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.standard import Family, Sparse
from calculator.architecture.fields import Fields
from calculator.architecture.linear_attention import gated_delta
from calculator.architecture.shape import NGRAMS, IndexedAttention, Indexer, ShortConvolution
from calculator.architecture.state_space import convolution
from calculator.architecture.tensors import Block, Weight, linear, norm, vector

MOST_HEADS = 256  # each takes another prime number to look for; the published model has 16


def qwen4_exp(c: Fields) -> Decoder:
    number, hidden, streams = c.size("num_layers"), c.size("hidden_size"), c.size("hc_count", 4)
    interval = c.size("full_attention_interval", 4)
    kinds = layer_kinds(c, "R" * (interval - 1) + "F")
    c.ignore("number_of_conv_states", "split_ngram_parts", "seed", "heads_per_ngram", "ngram_size", "ple_embed_dim")
    mixers = {"recurrent": gated_delta(c), "full": _indexed(c)}
    mixers["indexed"] = mixers["full"]
    for kind in kinds:
        if kind not in mixers:
            raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
    sparse = Sparse(shared="size", shared_gate=True).block(c, False)
    width, rank = streams * hidden, c.size("hc_lowrank", 320)
    rest = sparse + Block(_mixed("attn", width, rank, streams) + _mixed("ffn", width, rank, streams))
    whole = {kind: block + rest for kind, block in mixers.items()}
    tables = sorted(set(c.sizes("ple_layer_ids") or ()))
    looked_up = {layer - 1: block for layer, block in zip(tables, _ngrams(c, width, len(tables)), strict=True)}
    if any(not 0 <= layer < number for layer in looked_up):
        raise c.fail("ple_layer_ids", "out_of_range", value=tables[-1], least=1, most=number)
    layers = [whole[kind] + looked_up.get(index, Block()) for index, kind in enumerate(kinds)]
    mixed = _mixed("output", width, rank)
    guessing = [whole["full"] + _guessing(hidden, width) + Block(mixed)] if c.count("num_mtp_layers") == 1 else ()
    return decoder(c, layers, final_norm=False, extra=mixed, mtp=guessing)


def _guessing(hidden: int, width: int) -> Block:
    """What a layer that predicts has of its own: maps of the token and of each stream (vLLM 0.33.0,
    `models/qwen4_exp/nvidia/mtp.py`)."""
    maps = linear("nextn.e_proj", hidden, hidden) + linear("nextn.h_proj", hidden, hidden)
    return Block(maps + norm("nextn.enorm", hidden) + norm("nextn.hnorm", width))


def _indexed(c: Fields) -> Block:
    """An indexer of one key head keeps a key for every token, and averages so many of them to a block."""
    hidden, (heads, kv_heads, head_dim) = c.size("hidden_size"), geometry(c)
    keys, size = c.size("indexer_kv_heads", 1), c.size("indexer_head_dim")
    indexer = Indexer(num_heads=c.size("indexer_n_heads"), head_dim=size, top_k=c.size("indexer_budget"))
    c.ignore("indexer_compress_ratio")
    if keys != 1:
        raise c.fail("indexer_kv_heads", "unsupported_value", value=keys)
    spec = IndexedAttention(
        num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, value_head_dim=head_dim, indexer=indexer
    )
    bias = c.flag("attention_bias")
    own = linear("indexer.qk_proj", (indexer.num_heads + keys) * size, hidden)
    own += norm("indexer.q_norm", size) + norm("indexer.k_norm", size)
    return attention(hidden, spec, qkv_bias=bias, out_bias=bias, qk_norm="head", gate="joined") + Block(own)


def _mixed(part: str, width: int, rank: int, written: int = 0) -> tuple[Weight, ...]:
    """How the streams come together before a part of a layer, and how what it makes goes back to them (`written`)."""
    weights = norm(f"hc_{part}_norm", width) + linear(f"hc_{part}_down", rank, width)
    weights += linear(f"hc_{part}_up", width, rank)
    return weights + (linear(f"hc_{part}_inject", written, width) if written else ())


def _ngrams(c: Fields, width: int, tables: int) -> list[Block]:
    """Of each table the rows of two and more tokens in a row, by hashes of which each head has another prime number."""
    if not tables:
        return []
    hidden, embedded, size = c.size("hidden_size"), c.size("ple_embed_dim"), c.size("ngram_size", 3)
    heads = (size - 1) * c.size("heads_per_ngram", 8)
    if heads < 1 or embedded % heads or heads * tables > MOST_HEADS:
        raise c.fail("heads_per_ngram", "unsupported_value", value=heads)
    kernel, multiple = c.size("ple_conv_kernel_size", 4), c.size("make_ngram_vocab_size_divisible_by", 128)
    # It looks at every `size`-th token before.
    looks_back = ShortConvolution(conv_kernel=(kernel - 1) * size, conv_channels=width)
    alike = (*linear("ple.key", width, embedded), *linear("ple.value", hidden, embedded))
    alike += convolution("ple.conv", width, kernel) + vector("ple.norms", 3, width)
    primes = filter(_is_prime, count(c.size("ngram_vocab_size_base", 20_000_000)))
    rows = [multiple * -(-sum(islice(primes, heads)) // multiple) for _table in range(tables)]
    return [Block((Weight(NGRAMS, (number, embedded // heads)), *alike), (looks_back,)) for number in rows]


def _is_prime(value: int) -> bool:
    if value < 4 or value % 2 == 0:
        return value in (2, 3)
    return all(value % divisor for divisor in range(3, isqrt(value) + 1, 2))


FAMILIES: dict[str, Family] = {"qwen4_exp_text": qwen4_exp}
