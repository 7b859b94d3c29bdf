"""Latent attention with dense or sparse feed-forwards: DeepSeek and those built like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from calculator.architecture.attention import latent_attention, read_indexer
from calculator.architecture.decoder import Decoder, decoder
from calculator.architecture.families.hyper_connections import around_layer, before_output
from calculator.architecture.families.sparse import FIRST_DEEPSEEK
from calculator.architecture.families.standard import PRE_NORMS, Family, first_dense
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import MOST_LAYERS, Fields
from calculator.architecture.shape import NGRAMS, Experts
from calculator.architecture.shown import short
from calculator.architecture.tensors import Block, Weight, linear, norm, norms, vector


def no_indexer(c: Fields) -> list[bool]:
    return [False] * c.size("num_layers")


def every_indexer(c: Fields) -> list[bool]:
    return [True] * c.size("num_layers")


def some_indexers(c: Fields, frequency: int = 1) -> list[bool]:
    """Which layers have an indexer of their own; the others follow the choice of the one before (GLM-5.2)."""
    number = c.size("num_layers")
    words = c.words("indexer_types", number)
    pattern = c.value("index_topk_pattern")
    frequency, offset = max(c.count("index_topk_freq", frequency), 1), c.count("index_skip_topk_offset", 2)
    if words is None and isinstance(pattern, (str, list)):
        words = [{"F": "full", "S": "shared"}.get(word, word) for word in pattern]
    if words is None:
        return [max(i - offset + 1, 0) % frequency == 0 for i in range(number)]
    unknown = next((word for word in words if word not in ("full", "shared")), None)
    if unknown is not None:
        raise c.fail("indexer_types", "unknown_layer_kind", kind=str(unknown), model_type=c.model_type)
    return [word == "full" for word in words]


def every_fourth_indexer(c: Fields) -> list[bool]:
    return some_indexers(c, 4)


@dataclass(frozen=True, kw_only=True)
class Latent:
    """A decoder of latent attention. Every trait is a fact about the family's modelling code."""

    correction: str = "buffer"
    sparse: bool = True
    leading_dense: int = 0  # where the config does not say
    indexers: Callable[[Fields], list[bool]] = no_indexer
    sparse_norms: tuple[str, ...] = PRE_NORMS
    gate: str = ""
    sinks: bool = False
    hyper_connections: int = 0  # scalars of each, see `hyper_connections`
    gated_norms: bool = False  # a map of low rank gates the norm before attention, and that before experts

    def __call__(self, c: Fields) -> Decoder:
        c.ignore("num_mtp_layers", "ep_size", "layer_types", "mlp_bias", "index_topk", "intermediate_size")
        hidden = c.size("hidden_size")
        mlps = first_dense(c, self.leading_dense) if self.sparse else ["dense"] * c.size("num_layers")
        mixers = {
            owns: latent_attention(c, indexer=read_indexer(c) if owns else None, gate=self.gate, sinks=self.sinks)
            for owns in dict.fromkeys(self.indexers(c))
        }
        pairs = list(zip(self.indexers(c), mlps, strict=True))
        blocks = {pair: mixers[pair[0]] + self.feed_forward(c, hidden, pair[1]) for pair in dict.fromkeys(pairs)}
        if not self.hyper_connections:
            return decoder(c, [blocks[pair] for pair in pairs])
        streams = around_layer(c, self.hyper_connections)
        blocks = {pair: block + streams for pair, block in blocks.items()}
        return decoder(c, [blocks[pair] for pair in pairs], extra=before_output(c))

    def feed_forward(self, c: Fields, hidden: int, kind: str) -> Block:
        if kind == "dense":
            gates = self.norm_gates(c, hidden, "attn_norm")
            return norms(PRE_NORMS, hidden) + gates + dense(hidden, c.size("intermediate_size"))
        if kind != "sparse":
            raise c.fail("mlp_layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
        around = norms(self.sparse_norms, hidden) + self.norm_gates(c, hidden, *PRE_NORMS)
        return around + experts(hidden, read_experts(c, shared="count"), correction=self.correction)

    def norm_gates(self, c: Fields, hidden: int, *roles: str) -> Block:
        if not self.gated_norms:
            return Block()
        rank = c.size("gated_norm_rank")
        return Block(
            tuple(
                weight
                for role in roles
                for weight in linear(f"{role}_gate_a", rank, hidden) + linear(f"{role}_gate_b", hidden, rank)
            )
        )


def mistral_large4(c: Fields) -> Decoder:
    """Mistral Large 4: no positions in every fourth layer, a scale by head that grows with the position, queries and
    the indexer's queries straight from the stream."""
    hidden, number = c.size("hidden_size"), c.size("num_layers")
    c.ignore("ep_size", "layer_types", "index_topk", "num_mtp_layers", "intermediate_size")
    rotated = c.sizes("no_rope_layers", number) or [
        int((i + 1) % c.size("no_rope_layer_interval", 4) > 0) for i in range(number)
    ]
    if not all(some_indexers(c)):
        raise c.fail("indexer_types", "unsupported_value", value="shared")
    if c.sizes("kv_source_layers", number) not in (None, list(range(number))):
        raise c.fail("kv_source_layers", "unsupported_value", value=short(c.value("kv_source_layers")))
    indexer, heads = read_indexer(c), c.size("num_heads")
    own = norm("indexer.q_norm", hidden, "layer") + vector("indexer.scale", 2, indexer.num_heads)
    own += vector("attn_scale", 2, heads)
    mixers = {flag: latent_attention(c, indexer=indexer, rotary=bool(flag)) + Block(own) for flag in (0, 1)}
    mlps = first_dense(c, 1)
    latent = Latent(correction="")
    feed_forwards = {kind: latent.feed_forward(c, hidden, kind) for kind in dict.fromkeys(mlps)}
    layers = [mixers[min(flag, 1)] + feed_forwards[mlp] for flag, mlp in zip(rotated, mlps, strict=True)]
    return decoder(c, layers, extra=vector("rope_alpha", c.count("qk_rope_head_dim") // 2))


def longcat_flash(c: Fields) -> Decoder:
    """LongCat-Flash: each layer holds two attentions and two dense feed-forwards beside its experts, of which some are
    nothing at all (`zero_expert_num`): the router sees them, no weight does."""
    hidden = c.size("hidden_size")
    spec = Experts(
        num_experts=c.size("num_experts"),
        num_active_experts=c.size("num_active_experts"),
        expert_size=c.size("expert_size"),
    )
    number, around = c.size("num_double_layers"), norms(PRE_NORMS, hidden) + dense(hidden, c.size("intermediate_size"))
    width = spec.num_experts + c.count("zero_expert_num")
    routed = experts(hidden, spec, router_width=width, correction="buffer")
    c.ignore("num_layers")
    c.ignore("zero_expert_type", "mla_scale_q_lora", "mla_scale_kv_lora")
    halves = [around + attends for attends in _halves(c, number)]
    layers = [
        Block(first.weights + second.weights, first.mixers + second.mixers) + routed
        for first, second in zip(halves[::2], halves[1::2], strict=True)
    ]
    return decoder(c, layers, extra=_looked_up(c, hidden))


def _halves(c: Fields, number: int) -> list[Block]:
    """Attentions, two a layer. In LongCat-2.0 every second one reads what the indexer of the one before picked."""
    if not c.flag("use_longcat_dsa"):
        return [latent_attention(c)] * (2 * number)
    pattern = c.words("index_topk_pattern", 2 * number)
    step = c.size("cli_factor", 2)
    owns = [word == "C" for word in pattern] if pattern else [index % step == 0 for index in range(2 * number)]
    c.ignore("index_init_tokens", "index_local_tokens", "dsa_mtp_cli", "attention_method")
    kind = "rms" if c.word("index_k_norm_type", "rms") == "rms" else "layer"
    own = latent_attention(c, indexer=read_indexer(c), indexer_norm=kind)
    follows = latent_attention(c)
    return [own if flag else follows for flag in owns]


def _looked_up(c: Fields, hidden: int) -> tuple[Weight, ...]:
    """Tables of n-grams added to the embedding: for each length and part one of an odd number of rows of its own, and
    a map to the model's width (MLX's `longcat_flash_ngram.py`)."""
    ratio = c.number("oe_vocab_size_ratio", 0)
    parts = (c.size("oe_neighbor_num", 5) - 1) * c.size("oe_split_num", 4)
    if not ratio:
        return ()
    if not 1 <= parts <= MOST_LAYERS or hidden % parts:
        raise c.fail("oe_split_num", "unsupported_value", value=parts)
    rows, width = int(ratio * c.size("vocab_size")), hidden // parts
    tables = tuple(Weight(NGRAMS, (rows + 2 * index + 1, width)) for index in range(parts))
    return tables + linear("ngram.proj", hidden, width) * parts


def deepseek_v2(c: Fields) -> Decoder:
    """Its smallest siblings attend as DeepSeek's first mixture does (vLLM 0.33.0, `deepseek_v2.py`, `use_mha`)."""
    c.ignore("lm_head", "rm_head", "use_mla")
    sizes = (c.config.get("qk_nope_head_dim"), c.config.get("qk_rope_head_dim"))
    return FIRST_DEEPSEEK(c) if sizes == (0, 0) else Latent(correction="")(c)


def minicpm3(c: Fields) -> Decoder:
    """Its first files leave out the size of a value's head: the width divided by the heads (SGLang,
    `models/minicpm3.py`, `MiniCPM3DecoderLayer`)."""
    if not c.has("value_head_dim"):
        value = max(1, c.size("hidden_size") // c.size("num_heads"))
        c.taken["v_head_dim"] = value
        c.config = {**c.config, "v_head_dim": value}
    return Latent(sparse=False)(c)


V3 = Latent()
V32 = replace(V3, indexers=every_indexer)
HY_V4 = Latent(leading_dense=1, indexers=every_fourth_indexer, gate="elements", sinks=True, hyper_connections=2)
FAMILIES: dict[str, Family] = {
    "axk1": Latent(leading_dense=1, sparse_norms=(*PRE_NORMS, "post_ffw_norm")),
    "axk2": replace(V32, leading_dense=1, gate="joined", gated_norms=True),
    "deepseek_v2": deepseek_v2,
    "deepseek_v3": V3,
    "deepseek_v32": V32,
    "glm4_moe_lite": Latent(leading_dense=1),
    "glm_moe_dsa": Latent(indexers=some_indexers),
    "hy_v4": HY_V4,
    "hy_v4_vl_text": HY_V4,
    "kimi_k2": V3,
    "longcat2": longcat_flash,
    "longcat_flash": longcat_flash,
    "longcat_flash_ngram": longcat_flash,
    "minicpm3": minicpm3,
    "mistral4": Latent(correction=""),
    "mistral_large4_text": mistral_large4,
    "sarvam_mla": V3,
    "youtu": Latent(sparse=False),
}
