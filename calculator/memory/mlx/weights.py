"""The weights as mlx-lm holds them, in its own formats.

`nn.quantize` narrows every module that has `to_quantized`: linear layers, experts and embeddings, the output head too
(mlx-lm 0.32.2, `utils.py`: `quantize_model`). Norms, convolutions, biases, small vectors and bare parameters stay wide.
Encoders are not loaded: the text models drop their weights (`sanitize`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from calculator.architecture.mlx import METHOD
from calculator.architecture.shape import LatentAttention, Shape
from calculator.memory.mlx.formats import EIGHT_BITS, FORMATS, WIDE, Format
from calculator.memory.mlx.models import Traits, traits
from calculator.memory.mlx.recipes import DOWN, RECIPES, chosen
from calculator.memory.mlx.tape import PAGE_BYTES
from calculator.memory.tensors import TensorGroup, category, tensor_groups
from calculator.memory.workload import Term

NEVER = ("ssm_conv1d", "shortconv.conv", "hc_")
"""What is no linear layer although it is a matrix: convolutions, decays, the mixing of residual streams."""


@dataclass(frozen=True, slots=True)
class Weights:
    terms: tuple[Term, ...]
    bytes: int
    arrays: int
    rounding_bytes: int  # what whole pages take beyond the numbers


def is_native(shape: Shape) -> bool:
    """Whether the checkpoint is one of MLX's own."""
    return shape.quantization is not None and shape.quantization.method == METHOD


@lru_cache(maxsize=256)
def wide_format(shape: Shape) -> str:
    """What is not quantised keeps the dtype of the checkpoint (`convert.py`, `torch_dtype`)."""
    dtypes = {tensor.dtype for tensor in shape.tensors if tensor.kind == "weight"}
    return next(
        (name for name in ("FP32", "FP16") if {name, name.replace("P", "")} & dtypes and "BF16" not in dtypes), "BF16"
    )


@lru_cache(maxsize=64)
def offered(shape: Shape) -> tuple[str, ...]:
    """Best quality first. A quantised checkpoint runs as it is, or dequantised (`mlx_lm.convert --dequantize`)."""
    if is_native(shape) and shape.quantization is not None:
        return wide_format(shape), shape.quantization.name
    own, wide = traits(shape), wide_format(shape)
    recipes = tuple(RECIPES) if any(_is_down(group, own) for group in tensor_groups(shape)) else ()
    # One bit is for checkpoints that were trained for it (Bonsai): of others nothing is left.
    made = (name for name, spec in FORMATS.items() if spec.bits > 1)
    names = sorted((*made, *recipes), key=lambda name: -bits_of(name))
    return (*dict.fromkeys((wide, "BF16", "FP16")), *names)


def bits_of(name: str) -> float:
    """Bits of a weight and its share of a scale; of a recipe, halfway between its two formats."""
    if name in RECIPES:
        return sum(map(bits_of, RECIPES[name])) / 2
    spec = FORMATS[name]
    return spec.bits + 8 * spec.scale_bytes / spec.group


def _is_down(group: TensorGroup, own: Traits) -> bool:
    return group.role in DOWN & own.favoured and group.part == "text"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A module's weights: `count` matrices of rows x columns, stacked."""

    role: str
    count: int
    rows: int
    columns: int


def matrices(group: TensorGroup, own: Traits, latent: LatentAttention | None) -> tuple[Matrix, ...]:
    """MLA's `kv_b_proj` is taken apart by head: `embed_q` from keys to the latent, `unembed_out` from it to values."""
    if group.role == "attn_kv_b" and own.caches_latent and latent is not None:
        return (
            Matrix("attn_k_b", latent.num_heads, latent.kv_lora_rank, latent.qk_nope_head_dim),
            Matrix("attn_v_b", latent.num_heads, latent.value_head_dim, latent.kv_lora_rank),
        )
    return (Matrix(group.role, group.matrices, group.rows, group.columns),)


def is_quantisable(group: TensorGroup, role: str, own: Traits) -> bool:
    if group.kind != "weight" or len(group.shape) < 2 or role == "ssm_a" or role.startswith(NEVER) or "norm" in role:
        return False
    return not (role == "ffn_gate_inp" and own.router == "wide")


def _stays_wide(shape: Shape, own: Traits, role: str, layer: int | None) -> bool:
    """What the model's own file leaves out (`quant_predicate`)."""
    return role in own.kept_wide or (role in own.latents_kept_wide and layer in _latents(shape))


def spec_of(
    shape: Shape, own: Traits, group: TensorGroup, matrix: Matrix, layer: int | None, name: str
) -> Format | None:
    """The format that a module is kept in; None: wide."""
    if name in WIDE or not is_quantisable(group, matrix.role, own):
        return None
    base = FORMATS[RECIPES[name][0] if name in RECIPES else name]
    if matrix.columns % base.group:
        return None
    if is_native(shape):
        own_name = _stated(shape).get((matrix.role, layer))
        if own_name is not None:
            return FORMATS.get(own_name)
    if name in RECIPES:
        return FORMATS[chosen(name, matrix.role, layer, shape.num_layers, own.favoured)]
    if _stays_wide(shape, own, matrix.role, layer):
        return None
    asks_eight = matrix.role in own.eight_bits or (matrix.role == "ffn_gate_inp" and own.router == "8bit")
    return EIGHT_BITS if asks_eight and not is_native(shape) else base


@lru_cache(maxsize=64)
def _stated(shape: Shape) -> dict[tuple[str, int | None], str]:
    """What a checkpoint says of single modules: `quantize_model` writes there what the model's own file asked for."""
    modules = shape.quantization.modules if shape.quantization is not None else ()
    return {(role, layer): name for role, layer, name in modules}


@lru_cache(maxsize=64)
def _latents(shape: Shape) -> dict[int | None, LatentAttention]:
    return {
        layer.index: mixer for layer in shape.layers for mixer in layer.mixers if isinstance(mixer, LatentAttention)
    }


@dataclass(frozen=True, slots=True)
class Arrays:
    """`times` modules of one kind and format: `parameters` of each, and the bytes of the arrays they are kept in."""

    kind: str
    format_name: str
    times: int
    parameters: int
    sizes: tuple[int, ...]


def arrays(shape: Shape, name: str) -> Iterator[Arrays]:
    own, wide = traits(shape), name if name in WIDE else wide_format(shape)
    for group in tensor_groups(shape):
        if group.part != "text" or group.role in own.not_loaded:
            continue
        by_format: dict[tuple[Matrix, Format | None], int] = defaultdict(int)
        for layer in group.layers:
            for matrix in matrices(group, own, _latents(shape).get(layer)):
                by_format[matrix, spec_of(shape, own, group, matrix, layer, name)] += 1
        for (matrix, spec), times in by_format.items():
            parameters = matrix.count * matrix.rows * matrix.columns
            if spec is None:
                held = "FP32" if group.role in own.f32 else wide
                yield Arrays(category(group.role), held, times, parameters, (parameters * WIDE[held],))
            else:
                sizes = tuple(matrix.count * size for size in spec.arrays(matrix.rows, matrix.columns))
                yield Arrays(category(group.role), spec.name, times, parameters, sizes)


@lru_cache(maxsize=1024)
def weights(shape: Shape, name: str) -> Weights:
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    number = rounding = 0
    for held in arrays(shape, name):
        total = totals[held.kind, held.format_name]
        total[0] += held.times * held.parameters
        total[1] += held.times * sum(held.sizes)
        number += held.times * len(held.sizes)
        rounding += held.times * sum(-size % PAGE_BYTES for size in held.sizes if size > PAGE_BYTES)
    terms = tuple(
        Term("weights", {"tensors": kind, "format": format_name, "parameters": parameters}, size)
        for (kind, format_name), (parameters, size) in totals.items()
    )
    return Weights(terms, sum(term.bytes for term in terms), number, rounding)
