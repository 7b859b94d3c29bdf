"""A checkpoint's tensors as llama.cpp's converter stores them (`conversion/*.py`).

Only what changes bytes is modelled: what is split or left out, and what stays F32. Row order, permutations and names
that no rule reads do not. The RoPE table of a scaled context (Llama 3.1: 256 bytes) is left out: a shape knows no RoPE.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import prod
from typing import NamedTuple

from calculator.architecture.known import of_shape
from calculator.architecture.shape import Attention, LatentAttention, Shape, Tensor
from calculator.memory.blocks import divides
from calculator.memory.llama_cpp.support import BF16_ROUTER, DECOMPRESSES_LATENT, ROTARY_TABLE, always_ties


class GgufTensor(NamedTuple):
    """`dimensions` are outermost first, the last is the row that blocks divide; `source` is the unquantised type."""

    role: str
    layer: int | None
    dimensions: tuple[int, ...]
    source: str
    quantisable: bool
    is_input: bool = False  # read row by row on the CPU: the token embeddings

    @property
    def elements(self) -> int:
        return prod(self.dimensions)


# `prepare_tensors` in `conversion/base.py` writes these F32 whatever the file's type.
_ALWAYS_F32 = frozenset(
    {"ffn_gate_inp", "ffn_gate_inp_shexp", "position_embd", "token_types", "shortconv.conv", "indexer.proj"}
    | {"ssm_conv1d", "ssm_conv1d_q", "ssm_conv1d_k", "ssm_conv1d_v", "altup_correct_coef", "altup_predict_coef"}
)
# `tensor_allows_quantization` in `src/llama-quant.cpp` copies these as they are; `indexer.proj` is not among them.
_NEVER_QUANTISED = ("altup", "laurel", "per_layer_model_proj", "ssm_conv1d", "position_embd", "token_types")
_NEVER_QUANTISED_ROLES = frozenset(
    {"ffn_gate_inp", "ffn_gate_tid2eid", "shortconv.conv", "indexer.k_proj", "indexer.q_proj", "attn_rel_b"}
)


def gguf_tensors(shape: Shape, *, as_stored: bool = False) -> list[GgufTensor]:
    """The text model's tensors in the order in which `llama-quantize` visits them. `as_stored`: those that are NVFP4 in
    the checkpoint are repacked, others are the unquantised ones that every preset begins with; of a file that was read,
    its own."""
    if as_stored and shape.file_tensors:
        return _of_file(shape)
    convert = _repack if as_stored else _convert
    tensors = [converted for tensor in shape.tensors_of("text") for converted in convert(shape, tensor)]
    if shape.model_type in ROTARY_TABLE:
        widest = max(mixer.head_dim for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, Attention))
        tensors.append(GgufTensor("rope_freqs", None, (widest // 2,), "F32", quantisable=False))
    tensors.sort(key=lambda tensor: (-1 if tensor.layer is None else tensor.layer, tensor.role))
    return tensors


def _of_file(shape: Shape) -> list[GgufTensor]:
    """Layers that predict several tokens are loaded where they are used (`prediction.in_file`)."""
    held = [tensor for tensor in shape.file_tensors if tensor.layer is None or tensor.layer < shape.num_layers]
    held.sort(key=lambda tensor: (-1 if tensor.layer is None else tensor.layer, tensor.role))
    return [
        GgufTensor(
            t.role, t.layer, t.dimensions, t.type, quantisable=False, is_input=t.role in _INPUTS and t.kind == "weight"
        )
        for t in held
    ]


def _convert(shape: Shape, tensor: Tensor) -> Iterable[GgufTensor]:
    if tensor.role == "output" and tensor.kind == "weight" and (shape.tied_embeddings or always_ties(shape)):
        return ()
    if tensor.role == "attn_kv_b" and tensor.kind == "weight" and shape.model_type not in DECOMPRESSES_LATENT:
        return _absorbed(shape, tensor)
    dimensions = tensor.shape
    if tensor.role == "per_layer_token_embd":  # padded to the vocabulary (Gemma 3n)
        dimensions = (max(dimensions[0], shape.vocab_size), *dimensions[1:])
    stored = _stored(tensor.role, tensor.layer, dimensions, tensor.kind)
    if tensor.role == "ffn_gate_inp" and shape.model_type in BF16_ROUTER:
        stored = stored._replace(source="BF16")
    return (stored,)


def _repack(shape: Shape, tensor: Tensor) -> Iterable[GgufTensor]:
    """`_generate_nvfp4_tensors`: the matrix as it is, and in F32 the scale of each, and of what it is multiplied by."""
    if tensor.dtype != "NVFP4":
        return _convert(shape, tensor)
    stored = GgufTensor(tensor.role, tensor.layer, _form(tensor.role, tensor.shape, "weight")[0], "NVFP4", False)
    matrices = prod(tensor.shape[:-2])
    wide = shape.quantization is not None and shape.quantization.wide_activations
    scales = ("scale",) if wide else ("scale", "input_scale")
    return (stored, *(GgufTensor(f"{tensor.role}.{name}", tensor.layer, (matrices,), "F32", False) for name in scales))


@of_shape
def can_repack(shape: Shape) -> bool:
    """Whether the converter repacks all that is NVFP4: rows of whole blocks, no matrix that it would have to cut."""
    narrow = [tensor for tensor in shape.tensors_of("text") if tensor.dtype == "NVFP4"]
    cut = ("attn_kv_b", "ffn_gate_up_exps")
    return bool(narrow) and all(divides("NVFP4", t.shape[-1]) and t.role not in cut for t in narrow)


def _absorbed(shape: Shape, tensor: Tensor) -> Iterator[GgufTensor]:
    """MLA: (heads x (nope + value), rank) becomes one matrix per head, keys transposed."""
    mixer = next(m for m in shape.layers[tensor.layer or 0].mixers if isinstance(m, LatentAttention))
    heads, rank = mixer.num_heads, mixer.kv_lora_rank
    yield _stored("attn_k_b", tensor.layer, (heads, rank, mixer.qk_nope_head_dim), "weight")
    yield _stored("attn_v_b", tensor.layer, (heads, mixer.value_head_dim, rank), "weight")


def _stored(role: str, layer: int | None, shape: tuple[int, ...], kind: str) -> GgufTensor:
    return GgufTensor(role, layer, *_form(role, shape, kind))


@lru_cache(maxsize=4096)
def _form(role: str, shape: tuple[int, ...], kind: str) -> tuple[tuple[int, ...], str, bool, bool]:
    """The same for a role in every layer: dimensions, unquantised type, may it be quantised, is it an input."""
    dimensions = shape
    while len(dimensions) > 1 and dimensions[0] == 1:  # ggml does not count outer dimensions of one
        dimensions = dimensions[1:]
    if "conv" in role and kind == "weight":
        dimensions = tuple(size for size in dimensions if size > 1)  # (channels, 1, kernel)
    is_weight = kind == "weight" and role not in _WITHOUT_SUFFIX
    is_small = not is_weight or len(shape) < 2 or role.endswith("_norm")
    quantisable = (
        not is_small
        and len(dimensions) > 1
        and role not in _NEVER_QUANTISED_ROLES
        and not any(word in role for word in _NEVER_QUANTISED)
    )
    source = "I32" if role == "ffn_gate_tid2eid" else "F32" if is_small or role in _ALWAYS_F32 else "BF16"
    return dimensions, source, quantisable, role in _INPUTS


_INPUTS = frozenset({"token_embd", "per_layer_token_embd", "position_embd", "token_types"})
_WITHOUT_SUFFIX = frozenset({"ssm_a", "ssm_d", "exp_probs_b"})  # names that do not end in `.weight`
