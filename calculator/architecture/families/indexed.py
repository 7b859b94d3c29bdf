"""Attention that keeps every token, or a summary of several, and reads only what an indexer picks."""

from __future__ import annotations

from calculator.architecture.attention import attention, latent_attention, mixer, read_indexer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.families.deepseek import some_indexers
from calculator.architecture.families.hyper_connections import around_layer, before_output
from calculator.architecture.families.standard import PRE_NORMS, Family, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.linear_attention import kimi_delta
from calculator.architecture.prediction import before
from calculator.architecture.shape import CompressedAttention, Experts, IndexedAttention, Indexer
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector

COMPRESSION = {"compressed_sparse_attention": 4, "heavily_compressed_attention": 128}
DSPARK_LAYERS = 3


def deepseek_v4(c: Fields) -> Decoder:
    """DeepSeek-V4: a window of one vector per token, and beyond it one per 4 tokens (with an indexer) or per 128."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    rates = _compression_by_layer(c, number)
    hashed = min(c.count("num_hash_layers", 3), number)
    kinds = c.words("mlp_layer_types", number) or ["hash_moe"] * hashed + ["moe"] * (number - hashed)
    c.ignore("attention_bias", "num_kv_heads", "hc_sinkhorn_iters", "qk_rope_head_dim", "expert_dtype", "mlp_bias")
    around = norms(PRE_NORMS, hidden) + around_layer(c, 3)
    spec = read_experts(c, shared="count")
    mixers = {rate: _compressed(c, rate) for rate in dict.fromkeys(rates)}
    table = vector("ffn_gate_tid2eid", c.size("vocab_size"), spec.num_active_experts, kind="buffer")
    seen = Block(vector("exp_probs_b_vision", spec.num_experts, kind="buffer"))  # of tokens of images
    seen = seen if c.count("vision_n_layers") else Block()
    feed_forwards = {
        "moe": experts(hidden, spec, correction="buffer") + seen,
        "hash_moe": experts(hidden, spec) + Block(table) + seen,  # the first layers pick experts by token
    }
    unknown = next((kind for kind in kinds if kind not in feed_forwards), None)
    if unknown is not None:
        raise c.fail("mlp_layer_types", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    layers = [around + mixers[rate] + feed_forwards[kind] for rate, kind in zip(rates, kinds, strict=True)]
    return decoder(c, layers, extra=before_output(c), mtp=_guessing(c, number, around + feed_forwards["moe"]))


def _guessing(c: Fields, number: int, rest: Block) -> list[Block]:
    """Layers that predict: two projections in place of one, and hyper-connections before the output of their own. Only
    the published `compress_ratios` say how they attend."""
    hidden, extra = c.size("hidden_size"), c.count("num_mtp_layers")
    ratios = c.sizes("compress_ratios") or []
    if c.has("dspark_markov_rank"):
        return _drafting(c, ratios[number:], rest)
    if not extra or len(ratios) != number + extra:
        return []
    own = linear("nextn_e_proj", hidden, hidden) + linear("nextn_h_proj", hidden, hidden)
    own += before(hidden) + norm("nextn.shared_head_norm", hidden) + before_output(c)
    return [rest + _compressed(c, rate) + Block(own) for rate in ratios[number:]]


def _drafting(c: Fields, rates: list[int], rest: Block) -> list[Block]:
    """DSpark, from V4-Flash-0731 on: as many layers as `compress_ratios` goes on for (three in vLLM 0.33.0, whatever
    `num_nextn_predict_layers` says). The first takes in what some layers of the model hold; what follows the last
    holds a table of which token follows another (`models/deepseek_v4/nvidia/dspark.py`)."""
    hidden, vocabulary, rank = c.size("hidden_size"), c.size("vocab_size"), c.size("dspark_markov_rank")
    seen = c.sizes("dspark_target_layer_ids")
    c.ignore("dspark_block_size", "dspark_noise_token_id")
    if len(rates) > MOST_LAYERS:
        raise c.fail("compress_ratios", "out_of_range", value=len(rates), least=0, most=MOST_LAYERS)
    rates = rates or [0] * DSPARK_LAYERS
    attend = {rate: rest + _compressed(c, rate) for rate in dict.fromkeys(rates)}
    layers = [attend[rate] for rate in rates]
    taken_in = linear("nextn.main_proj", hidden, hidden * (DSPARK_LAYERS if seen is None else len(seen)))
    layers[0] += Block(taken_in + norm("nextn.main_norm", hidden))
    follows = linear("nextn.markov_w1", vocabulary, rank) + linear("nextn.markov_w2", vocabulary, rank)
    follows += linear("nextn.confidence", 1, hidden + rank) + norm("nextn.norm", hidden) + before_output(c)
    layers[-1] += Block(follows)
    return layers


def _compression_by_layer(c: Fields, number: int) -> list[int]:
    """Tokens per compressed entry, 0 where there are none, from `layer_types` or the published `compress_ratios`."""
    inner = c.part("compress_rates", c.model_type)
    given = {kind: inner.size(kind, rate) if inner else rate for kind, rate in COMPRESSION.items()}
    words, ratios = c.words("layer_types"), c.sizes("compress_ratios")
    if words is None and ratios is not None:
        if len(ratios) < number:
            raise c.fail("compress_ratios", "wrong_length", length=len(ratios), expected=number)
        return ratios[:number]
    if words is None:
        half = list(given.values())
        return [half[1]] * min(number, 2) + [half[0] if i % 2 else half[1] for i in range(max(number - 2, 0))]
    unknown = next((word for word in words if word not in given and word != "sliding_attention"), None)
    if unknown is not None:
        raise c.fail("layer_types", "unknown_layer_kind", kind=unknown, model_type=c.model_type)
    if len(words) < number:
        raise c.fail("layer_types", "wrong_length", length=len(words), expected=number)
    return [given.get(word, 0) for word in words[:number]]


def _compressed(c: Fields, rate: int) -> Block:
    hidden, heads, head_dim = c.size("hidden_size"), c.size("num_heads"), c.size("head_dim")
    rank, groups, out_rank = c.size("q_lora_rank"), c.size("o_groups"), c.size("o_lora_rank")
    indexer = read_indexer(c) if rate == 4 else None
    spec = CompressedAttention(
        num_heads=heads, head_dim=head_dim, window=c.size("sliding_window"), compression=rate or None, indexer=indexer
    )
    weights = (
        linear("attn_q_a", rank, hidden) + norm("attn_q_a_norm", rank) + linear("attn_q_b", heads * head_dim, rank)
    )
    weights += linear("attn_kv", head_dim, hidden) + norm("attn_kv_a_norm", head_dim) + vector("attn_sinks", heads)
    weights += linear("attn_output_a", groups * out_rank, heads * head_dim // groups)
    weights += linear("attn_output_b", hidden, groups * out_rank)
    if rate:
        weights += _compressor("attn_compressor", hidden, head_dim, rate, 2 if indexer else 1)
    if indexer:
        weights += _compressor("indexer_compressor", hidden, indexer.head_dim, rate, 2)
        weights += linear("indexer.attn_q_b", indexer.num_heads * indexer.head_dim, rank)
        weights += linear("indexer.proj", indexer.num_heads, hidden)
    return Block(weights, (spec,))


def _compressor(role: str, hidden: int, head_dim: int, rate: int, overlap: int) -> tuple[Weight, ...]:
    width = overlap * head_dim
    weights = linear(f"{role}_kv", width, hidden) + linear(f"{role}_gate", width, hidden)
    return weights + vector(f"{role}_ape", rate, width) + norm(f"{role}_norm", head_dim)


def glm5_next(c: Fields) -> Decoder:
    """GLM-5.3 Flash: Kimi delta attention, and every fourth layer latent attention whose indexer pools keys."""
    hidden = c.size("hidden_size")
    inner = c.part("linear_attn_config", c.model_type)
    at = inner or c
    heads = at.size("num_heads") if inner else c.size("linear_num_heads")
    head_dim = at.size("head_dim") if inner else c.size("linear_head_dim")
    kernel = at.size("short_conv_kernel_size") if inner else c.size("linear_conv_kernel_dim")
    if inner:
        inner.ignore("kda_layers", "full_attn_layers")
    kinds = ["indexed" if kind == "full" else kind for kind in layer_kinds(c, "RRRF")]
    pool = c.size("index_kpool", 16)
    c.ignore("head_dim", "linear_num_heads", "linear_head_dim", "linear_conv_kernel_dim", "indexer_types")
    some_indexers(c)
    pooled = vector("indexer_compressor_ape", pool, c.size("index_head_dim"))
    pooled += linear("indexer_compressor_gate", c.size("index_head_dim"), hidden)
    c.ignore("index_kpool_always_select_tail", "hc_sinkhorn_iters", "num_mtp_layers")
    mixers = {
        "indexed": latent_attention(c, indexer=read_indexer(c)) + Block(pooled),
        "recurrent": kimi_delta(c, heads, head_dim, kernel, bounded_gate=True),  # to -5 where the file says nothing
    }
    mlps = first_dense(c, 3)
    feed_forwards = {
        "dense": dense(hidden, c.size("intermediate_size")),
        "sparse": experts(hidden, read_experts(c, shared="count"), correction="buffer"),
    }
    for kind in kinds:
        if kind not in mixers:
            raise c.fail("layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
    around = norms(PRE_NORMS, hidden) + around_layer(c, 3)
    return decoder(c, [around + mixers[k] + feed_forwards[m] for k, m in zip(kinds, mlps, strict=True)])


def minimax_m3(c: Fields) -> Decoder:
    """MiniMax-M3: grouped heads with an indexer over blocks of tokens in all but the first layers."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    heads, kv_heads, head_dim = c.size("num_heads"), c.size("num_kv_heads"), c.size("head_dim")
    inner = c.part("sparse_attention_config", c.model_type)
    words = c.words("layer_types", number)
    if words is None and inner is not None and inner.has("sparse_attention_freq"):
        flags = inner.sizes("sparse_attention_freq", number) or []
        words = ["minimax_m3_sparse" if flag else "full_attention" for flag in flags]
    words = words or ["full_attention"] * number
    at = inner if inner is not None else c
    names = ("sparse_num_index_heads", "sparse_index_dim", "sparse_topk_blocks", "sparse_block_size")
    if inner is None:
        names = ("index_n_heads", "index_head_dim", "index_topk_blocks", "index_block_size")
    else:
        inner.ignore("sparse_local_block", "sparse_init_block", "sparse_disable_index_value", "use_sparse_attention")
        inner.ignore("sparse_score_type")
    c.ignore("index_n_heads", "index_head_dim", "index_topk_blocks", "index_block_size", "index_local_blocks")
    c.ignore("expert_size", "num_shared_experts", "use_qk_norm", "use_gemma_norm", "qk_norm_type", "use_routing_bias")
    full = mixer(c, "full", heads, kv_heads, head_dim)
    mixers = {"full_attention": attention(hidden, full, qk_norm="head")}
    if "minimax_m3_sparse" in words:
        index_heads, index_dim, top_blocks, block = (at.size(name) for name in names)
        indexer = Indexer(num_heads=index_heads, head_dim=index_dim, top_k=top_blocks * block)
        spec = IndexedAttention(
            num_heads=heads, num_kv_heads=kv_heads, head_dim=head_dim, value_head_dim=head_dim, indexer=indexer
        )
        own = linear("indexer.q_proj", index_heads * index_dim, hidden) + linear("indexer.k_proj", index_dim, hidden)
        own += norm("indexer.q_norm", index_dim) + norm("indexer.k_norm", index_dim)
        mixers["minimax_m3_sparse"] = attention(hidden, spec, qk_norm="head") + Block(own)
    for word in words:
        if word not in mixers:
            raise c.fail("layer_types", "unknown_layer_kind", kind=word, model_type=c.model_type)
    shared = c.count("shared_expert_size")
    sparse = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=c.size("intermediate_size"),
        num_shared_experts=int(shared > 0),
        shared_size=shared,
    )
    mlps = first_dense(c)
    feed_forwards = {
        "dense": dense(hidden, c.size("dense_intermediate_size")),
        "sparse": experts(hidden, sparse, correction="buffer"),
    }
    around = norms(PRE_NORMS, hidden)
    return decoder(c, [around + mixers[w] + feed_forwards[m] for w, m in zip(words, mlps, strict=True)])


FAMILIES: dict[str, Family] = {
    "deepseek_v4": deepseek_v4,
    "glm5_next_text": glm5_next,
    "minimax_m3": minimax_m3,
    "minimax_m3_vl_text": minimax_m3,
}
