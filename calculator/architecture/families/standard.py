"""The standard decoder: what nearly all model types are, told apart by a few traits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from calculator.architecture.attention import attention, geometry, mixer
from calculator.architecture.decoder import Decoder, decoder, layer_kinds
from calculator.architecture.feed_forward import dense, experts, read_experts
from calculator.architecture.fields import Fields
from calculator.architecture.tensors import Block, Weight, norm, norms

Family = Callable[[Fields], Decoder]
Trait = bool | str  # a word names the config key that decides

PRE_NORMS = ("attn_norm", "ffn_norm")
POST_NORMS = ("post_attention_norm", "post_ffw_norm")
SANDWICH_NORMS = ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")


@dataclass(frozen=True, kw_only=True)
class Sparse:
    """The mixture of experts of a family and which layers have one."""

    size: str = "expert_size"  # the key that holds the size of an expert
    shared: str = ""  # "count" or "size", see `read_experts`
    shared_gate: bool = False
    router_bias: bool = False
    bias: bool = False
    correction: str = ""
    gated: bool = True
    shared_fused: bool = False
    pattern: str = "M"  # where the config lists no kinds: D(ense) and M (sparse), the last repeated
    layers: Callable[[Fields], list[str]] | None = None

    def kinds(self, c: Fields) -> list[str]:
        if self.layers:
            return self.layers(c)
        number = c.size("num_layers")
        return layer_kinds(c, self.pattern.ljust(number, self.pattern[-1]), name="mlp_layer_types")

    def block(self, c: Fields, shared_bias: bool) -> Block:
        return experts(
            c.size("hidden_size"),
            read_experts(c, shared=self.shared, expert_size=self.size),
            gated=self.gated,
            bias=self.bias,
            router_bias=self.router_bias,
            correction=self.correction,
            shared_gate=self.shared_gate,
            shared_bias=shared_bias,
            shared_fused=self.shared_fused,
        )


@dataclass(frozen=True, kw_only=True)
class Standard:
    """A standard decoder. Every trait is a fact about the family's modelling code."""

    qkv_bias: Trait = False
    out_bias: Trait = False
    fused_qkv: bool = False
    qk_norm: str = ""  # "head", "heads" or "all", see `attention`
    qk_norm_if: Trait = True
    qk_norm_kind: str = "rms"
    gate: str = ""
    gate_if: tuple[str, str] = ("", "")  # the flag with which it has this gate
    sinks: Trait = False
    pattern: str = "F"  # where the config lists no layer kinds
    windowed: Callable[[Fields], list[str]] | None = None  # how else it tells which layers are windowed
    recurrent: Callable[[Fields], Block] | None = None  # what a recurrent layer is
    convolution: Callable[[Fields], Block] | None = None
    mlp_bias: Trait = False
    size: Callable[[Fields], int] | None = None  # of the feed-forward, where it is not `intermediate_size`
    gated: bool = True
    fused_gate_up: bool = False
    activation_scalars: int = 0  # learned numbers of the activation function
    sub_norms: bool = False  # before the output of attention and of the feed-forward (BitNet)
    other_norms: tuple[str, tuple[str, ...]] = ("", ())  # those it has instead with this flag
    norms: tuple[str, ...] = PRE_NORMS
    norm_kind: str = "rms"
    final_norm: bool = True
    head_bias: Trait = False
    embedding_norm: str = "none"
    positions: int | None = None  # rows of the learned position embedding beyond the context; None: it has none
    extra_rows: str = ""  # the key of rows that the embedding has beyond the output's
    output_rows: str = ""  # the key of rows that the output has, where it has fewer than the embedding
    widening: int = 0  # the feed-forward is so many times as wide where the config does not say
    sparse: Sparse | None = None
    ignored: tuple[str, ...] = ()

    def __call__(self, c: Fields) -> Decoder:
        c.ignore("num_heads", "num_kv_heads", "head_dim", *self.ignored)
        c.ignore(*(trait for trait in (self.qkv_bias, self.out_bias) if isinstance(trait, str)))
        if self.sparse:
            c.ignore("intermediate_size")
        kinds = self.windowed(c) if self.windowed else layer_kinds(c, self.pattern)
        mixers = {kind: self.mixer(c, kind) for kind in dict.fromkeys(kinds)}
        mlps = self.sparse.kinds(c) if self.sparse else ["dense"] * len(kinds)
        feed_forwards = {kind: self.feed_forward(c, kind) for kind in dict.fromkeys(mlps)}
        flag, others = self.other_norms
        roles = others if flag and c.flag(flag) else self.norms
        around = norms(roles, c.size("hidden_size"), self.norm_kind)
        layers = {
            (kind, mlp): around + mixers[kind] + feed_forwards[mlp]
            for kind, mlp in dict.fromkeys(zip(kinds, mlps, strict=True))
        }
        return decoder(
            c,
            [layers[pair] for pair in zip(kinds, mlps, strict=True)],
            norm_kind=self.norm_kind,
            final_norm=self.final_norm,
            head_bias=holds(c, self.head_bias),
            embedding_norm=self.embedding_norm,
            extra_rows=c.count(self.extra_rows) if self.extra_rows else 0,
            output_rows=c.size(self.output_rows, None) if self.output_rows else None,
            positions=0 if self.positions is None else c.size("context") + self.positions,
        )

    def mixer(self, c: Fields, kind: str) -> Block:
        if kind == "recurrent" and self.recurrent:
            return self.recurrent(c)
        if kind == "convolution" and self.convolution:
            return self.convolution(c)
        spec = mixer(c, kind, *geometry(c))
        block = attention(
            c.size("hidden_size"),
            spec,
            qkv_bias=holds(c, self.qkv_bias),
            out_bias=holds(c, self.out_bias),
            fused_qkv=self.fused_qkv,
            qk_norm=self.qk_norm if holds(c, self.qk_norm_if) else "",
            qk_norm_kind=self.qk_norm_kind,
            gate=self.gate_if[1] if self.gate_if[0] and c.flag(self.gate_if[0]) else self.gate,
            sinks=holds(c, self.sinks),
        )
        sub_norm = norm("attn_sub_norm", spec.num_heads * spec.value_head_dim) if self.sub_norms else ()
        return block + Block(sub_norm)

    def feed_forward(self, c: Fields, kind: str) -> Block:
        if kind == "sparse" and self.sparse:
            return self.sparse.block(c, holds(c, self.mlp_bias))
        if kind != "dense":
            raise c.fail("mlp_layer_types", "unknown_layer_kind", kind=kind, model_type=c.model_type)
        size = self.intermediate_size(c)
        block = dense(
            c.size("hidden_size"), size, gated=self.gated, fused=self.fused_gate_up, bias=holds(c, self.mlp_bias)
        )
        scalars = tuple(Weight(f"ffn_act_{index}", (1,)) for index in range(self.activation_scalars))
        return block + Block(scalars + (norm("ffn_sub_norm", size) if self.sub_norms else ()))

    def intermediate_size(self, c: Fields) -> int:
        if self.size:
            return self.size(c)
        if self.widening:
            return c.size("intermediate_size", self.widening * c.size("hidden_size"))
        return c.size("intermediate_size")


def holds(c: Fields, trait: Trait) -> bool:
    return c.flag(trait) if isinstance(trait, str) else trait


def every_layer_windowed(c: Fields) -> list[str]:
    """A window, where the config states one, holds for every layer (Mistral, Phi-3)."""
    if c.has("layer_types"):
        return layer_kinds(c)
    window = c.size("sliding_window", None, use_default=False)
    return [("sliding" if window else "full")] * c.size("num_layers")


def upper_layers_windowed(c: Fields) -> list[str]:
    """Layers from `max_window_layers` on see a window, if `use_sliding_window` (Qwen2)."""
    first = c.count("max_window_layers")
    windowed = c.flag("use_sliding_window") and c.size("sliding_window", None) is not None
    c.ignore("sliding_window")
    if c.has("layer_types"):
        return layer_kinds(c)
    return ["sliding" if windowed and i >= first else "full" for i in range(c.size("num_layers"))]


def every_nth_full(default: int) -> Callable[[Fields], list[str]]:
    """Every nth layer sees everything, n in `sliding_window_pattern` (Gemma 3, Cohere 2)."""

    def kinds(c: Fields) -> list[str]:
        period = c.size("sliding_window_pattern", default)
        return layer_kinds(c, "S" * (period - 1) + "F")

    return kinds


def first_dense(c: Fields, default: int = 0) -> list[str]:
    """So many dense layers come first, then sparse ones, or as `moe_layer_freq` says: a step or a list (DeepSeek)."""
    first, number = c.count("num_dense_layers", default), c.size("num_layers")
    frequency = c.value("moe_layer_freq")
    if c.has("mlp_layer_types"):
        return layer_kinds(c, name="mlp_layer_types")
    if isinstance(frequency, (list, tuple)):
        return ["sparse" if flag else "dense" for flag in c.sizes("moe_layer_freq", number) or ()]
    step = c.size("moe_layer_freq", 1)
    return ["dense" if i < first or i % step else "sparse" for i in range(number)]
