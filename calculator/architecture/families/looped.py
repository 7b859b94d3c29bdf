"""Decoders whose layers run several times for each token: weights count once, each pass keeps keys and values.

Sources: transformers 5.24.0, `models/hrm_text` (`configuration_hrm_text.py`, `modular_hrm_text.py`); the code in the
repositories of Huginn, Ouro, Nanbeige 4.2 and IQuest-Coder Loop. The counts are those of the published checkpoints.
"""

from __future__ import annotations

from dataclasses import replace

from calculator.architecture.attention import attention, divides, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.dense import BIASED, LLAMA
from calculator.architecture.families.standard import PRE_NORMS, SANDWICH_NORMS, Family, Standard
from calculator.architecture.feed_forward import dense
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, linear, norms, vector

MOST_PASSES = 64


def passes(c: Fields, name: str, default: int, *, most: int = MOST_PASSES) -> int:
    number = c.size(name, default)
    if number > most and not c.faults:
        c.fault(name, "out_of_range", value=number, least=1, most=most)
    return min(number, most)


def again(model: Decoder, times: int) -> Decoder:
    """All layers run so many times."""
    layers = {id(block): replace(block, mixers=block.mixers * times) for block in model.layers}
    return replace(model, layers=[layers[id(block)] for block in model.layers])


def nanbeige(c: Fields) -> Decoder:
    c.ignore("loop_loss_weights", "skip_loop_final_norm", "kv_channels")
    return again(LLAMA(c), passes(c, "num_loops", 1))


OURO = Standard(norms=SANDWICH_NORMS)


def ouro(c: Fields) -> Decoder:
    """Looped language models (arXiv:2510.25741): a gate that may stop after each pass."""
    c.ignore("max_window_layers", "use_sliding_window", "sliding_window", "layer_types")
    model = again(OURO(c), passes(c, "total_ut_steps", 4))
    gate = linear("exit_gate", 1, c.size("hidden_size"), True)
    return replace(model, shared=model.shared + gate)


def iquest_loop(c: Fields) -> Decoder:
    """IQuest-Coder Loop: what the first pass wrote is kept whole; later passes keep a window of their own, and a gate
    by head weighs the two."""
    hidden, (heads, kv_heads, head_dim) = c.size("hidden_size"), geometry(c)
    times = passes(c, "loop_num", 2)
    full = mixer(c, "full", heads, kv_heads, head_dim)
    c.ignore("sliding_window", "use_sliding_window", "max_window_layers", "layer_types")
    c.config = {**c.config, "sliding_window": c.size("loop_window_size", 64)}
    later = mixer(c, "sliding", heads, kv_heads, head_dim)
    bias = c.flag("attention_bias")
    layer = norms(PRE_NORMS, hidden) + attention(hidden, full, qkv_bias=bias, out_bias=bias)
    layer += dense(hidden, c.size("intermediate_size"), bias=c.flag("mlp_bias"))
    gate = Block(vector("attn_loop_gate", heads, head_dim) + vector("attn_loop_gate", heads, kind="bias"))
    layer = replace(layer + gate, mixers=(full, *[later] * (times - 1)))
    return decoder(c, [layer] * c.size("num_layers"))


HRM = replace(BIASED, mlp_bias="mlp_bias", gate="elements", norms=(), norm_kind="none")


def hrm_text(c: Fields) -> Decoder:
    """Hierarchical reasoning (arXiv:2506.21734): a stack of low layers runs so many times for each run of a stack of
    high ones. A file counts the layers of one stack or, where it states those too, all passes together."""
    high = passes(c, "H_cycles", 2)
    low = passes(c, "L_cycles", 3, most=MOST_PASSES // high)
    stack = c.size("num_layers_per_stack", None) or c.size("num_layers")
    c.ignore("L_bp_cycles", "num_layers", "prefix_lm")
    c.config = {**c.config, "num_hidden_layers": stack}
    model = HRM(c)
    layers = [*again(model, high * low).layers, *again(model, high).layers]
    return replace(model, layers=layers, shared=model.shared + vector("low_init", c.size("hidden_size")))


def huginn(c: Fields) -> Decoder:
    """Huginn (arXiv:2502.05171): layers before, a few that run so many times, each time on their own output and on what
    the first made, and layers behind (`raven_modeling_minimal.py`)."""
    hidden, heads = c.size("hidden_size"), c.size("num_heads")
    divides(c, "num_heads", heads, "hidden_size", hidden)
    for name, known in (("block_class_name", "SandwichBlock"), ("injection_type", "linear")):
        if not c.has(name):  # other models made into loops bear this type's name, too
            raise c.fail(name, "missing")
        if c.word(name) != known:
            raise c.fail(name, "unsupported_value", value=c.word(name)[:40])
    kv_heads, head_dim = c.size("num_kv_heads", heads), c.size("head_dim", hidden // heads)
    c.ignore("n_layers", "num_layers", "effective_expected_depth", "mean_backprop_depth", "padded_vocab_size", "bias")
    c.config = {"tie_word_embeddings": c.flag("tie_embeddings", True), **c.config}
    layer = norms(SANDWICH_NORMS, hidden) + dense(hidden, c.size("intermediate_size"), fused=True)
    layer += attention(hidden, mixer(c, "full", heads, kv_heads, head_dim), fused_qkv=True)
    layer += Block(vector("attn_qk_bias", 2, heads, head_dim) if c.flag("qk_bias") else ())
    looped = replace(layer, mixers=layer.mixers * passes(c, "mean_recurrence", 32))
    before, during, after = (c.size(f"n_layers_in_{part}") for part in ("prelude", "recurrent_block", "coda"))
    adapter = linear("adapter", hidden, 2 * hidden)
    model = decoder(c, [layer] * before + [looped] * during + [layer] * after, extra=adapter)
    return replace(model, context_tokens=c.size("block_size", None))


def nandi(c: Fields) -> Decoder:
    """Nandi: an embedding of low rank, and each layer twice in a row (its pull request to transformers). Its files of
    600M have norms of queries and keys and share keys with values, by keys that are not known here."""
    rank = c.size("embedding_rank") if c.flag("factorized_embedding", True) else None
    times = passes(c, "layer_sharing_repeats", 2) if c.flag("layer_sharing", True) else 1
    c.ignore("layer_sharing_repeats", "pretraining_tp", "embedding_rank")
    c.config = {"tie_word_embeddings": True, **c.config}
    model, hidden = LLAMA(c), c.size("hidden_size")
    if rank:
        rows = c.size("vocab_size")
        narrow = {"token_embd": (rows, rank), "output": (rows, rank)}
        shared = tuple(weight._replace(shape=narrow.get(weight.role, weight.shape)) for weight in model.shared)
        ways = linear("token_embd_proj", hidden, rank) + linear("output_proj", rank, hidden)
        model = replace(model, shared=shared + ways)
    return again(model, times)


FAMILIES: dict[str, Family] = {
    "huginn_raven": huginn,
    "hrm_text": hrm_text,
    "iquestloopcoder": iquest_loop,
    "nandi": nandi,
    "nanbeige": nanbeige,
    "ouro": ouro,
}
