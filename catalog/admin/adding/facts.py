"""What a config.json says of a model's structure, in the words of a card. What it does not say is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from calculator.architecture import Shape, read_rotary
from calculator.architecture.rotary import NO_TABLE
from calculator.architecture.shape import (
    Attention,
    ChunkedAttention,
    CompressedAttention,
    CrossAttention,
    FullAttention,
    LatentAttention,
    LinearAttention,
    Mixer,
    ShortConvolution,
    SlidingWindowAttention,
    StateSpace,
    WindowedLatentAttention,
)
from calculator.architecture.wrappers import unwrap

GATED = {"silu": "swiglu", "swish": "swiglu", "swiglu": "swiglu", "gelu": "geglu", "gelu_pytorch_tanh": "geglu"}
PLAIN = {
    "gelu": "gelu",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "relu": "relu",
    "relu2": "squared-relu",
    "xielu": "xielu",
}
ACTIVATION_KEYS = ("hidden_activation", "hidden_act", "mlp_hidden_act", "activation_function")
NORMS = frozenset({"attn_norm", "ffn_norm", "output_norm"})  # not an indexer's, which shifts where its model does not
GATES = frozenset({"ffn_gate", "ffn_gate_exps", "ffn_gate_up", "ffn_gate_up_exps"})
READ = frozenset(
    {"total_parameters", "active_parameters", "active_basis", "context_tokens", "attention", "normalization"}
)
"""What follows from the file alone. The rest is what such a file mostly means, which an editor looks at."""
PLAIN_FULL = frozenset({"afmoe", "cohere2", "cohere2_moe", "exaone4", "exaone4_5_text", "exaone_moe"})
"""Model types that rotate in layers of a window and leave full attention without positions, where a model has both.
transformers: `AfmoeAttention` (`is_local_attention`), `Cohere2Attention` (`sliding_window`), `Exaone4Attention`."""
SCALINGS = {"yarn": "rope-yarn", "llama3": "rope-llama3", "longrope": "rope-longrope", "su": "rope-longrope"}
LINEAR = {"gated_delta": "gated-deltanet", "kimi_delta": "kimi-delta", "lightning": "lightning"}


def facts(shape: Shape, config: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a card and their values."""
    text = unwrap(config).text.config
    found = {
        "total_parameters": shape.total_parameters,
        "active_parameters": shape.active_parameters,
        "active_basis": "computed" if shape.active_parameters < shape.total_parameters else "all",
        "context_tokens": shape.context_tokens,
        "attention": _attention(shape),
        "normalization": _normalization(shape, text),
        "activation": _activation(shape, text),
        "position_embedding": _positions(shape, config, text),
        "input_modalities": _inputs(shape, config),
        "output_modalities": ["text"],
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def _attention(shape: Shape) -> list[str]:
    words: dict[str, None] = {}
    for layer in shape.layers:
        for mixer in layer.mixers:
            words |= dict.fromkeys(_words(mixer, shape.context_tokens))
        if "mamba-2" in words and len(layer.mixers) > 1:  # Falcon-H1
            words["parallel-mamba-2"] = words.pop("mamba-2")
    return list(words)


def _words(mixer: Mixer, context_tokens: int | None) -> Iterator[str]:
    if isinstance(mixer, Attention) and not isinstance(mixer, CrossAttention):
        shared = "mqa" if mixer.num_kv_heads == 1 else "gqa"
        yield "mha" if mixer.num_kv_heads == mixer.num_heads else shared
    if isinstance(mixer, SlidingWindowAttention) and (context_tokens is None or mixer.window < context_tokens):
        yield "sliding-window"
    if isinstance(mixer, ChunkedAttention):
        yield "chunked"
    if isinstance(mixer, CompressedAttention):
        yield "compressed-sparse"
    if isinstance(mixer, LatentAttention):
        yield "mla"
        if isinstance(mixer, WindowedLatentAttention) and (context_tokens is None or mixer.window < context_tokens):
            yield "sliding-window"
        if mixer.indexer is not None:
            yield "deepseek-sparse"
    if isinstance(mixer, LinearAttention):
        yield LINEAR.get(mixer.kind, "linear")
    if isinstance(mixer, StateSpace):
        yield "mamba-2" if mixer.version == 2 else "mamba"
    if isinstance(mixer, ShortConvolution):
        yield "short-convolution"


def _normalization(shape: Shape, text: Mapping[str, Any]) -> str:
    """What shifts its numbers is LayerNorm; of the rest, what the file itself calls RMSNorm. Others are left open."""
    if any(tensor.kind == "bias" and tensor.role in NORMS and tensor.part == "text" for tensor in shape.tensors):
        return "layernorm"
    return "rmsnorm" if "rms_norm_eps" in text else ""


def _activation(shape: Shape, text: Mapping[str, Any]) -> str:
    stated = next((text[key] for key in ACTIVATION_KEYS if isinstance(text.get(key), str)), "")
    gated = any(tensor.role in GATES for tensor in shape.tensors if tensor.part == "text")
    return (GATED if gated else PLAIN).get(stated, "")


def _positions(shape: Shape, config: Mapping[str, Any], text: Mapping[str, Any]) -> str:
    if text.get("no_rope_layers"):  # Llama 4; of SmolLM3 it names every fourth layer, too
        return "nope-full"
    if any(tensor.role.endswith("position_embd") for tensor in shape.tensors if tensor.part == "text"):
        return "learned"
    kinds = {type(mixer) for layer in shape.layers for mixer in layer.mixers}
    if text.get("model_type") in PLAIN_FULL and {FullAttention, SlidingWindowAttention} <= kinds:
        return "nope-full"
    scaling = text.get("rope_scaling") or text.get("rope_parameters")
    kind = (scaling.get("rope_type") or scaling.get("type")) if isinstance(scaling, Mapping) else None
    if kind in SCALINGS:
        return SCALINGS[kind]
    by_distance = any(tensor.role.endswith("attn_rel_b") for tensor in shape.tensors)  # a bias that Inkling learned
    if by_distance or shape.model_type in NO_TABLE:
        return ""
    return "rope" if shape.rotary or read_rotary(config).bases else ""


def _inputs(shape: Shape, config: Mapping[str, Any]) -> list[str]:
    """Pictures and sound where there is a tower that reads them; films where they have a token of their own."""
    parts = {tensor.part for tensor in shape.tensors}
    found = ["text"]
    if "vision" in parts:
        found.append("image")
    if "audio" in parts:
        found.append("audio")
    if "vision" in parts and {"video_token_id", "video_token_index"} & config.keys():
        found.append("video")
    return found
