"""How MLX quantises a checkpoint, as mlx-lm (0.32.2, `utils.py`: `quantize_model`, `load_model`) writes it.

`"quantization": {"group_size": 64, "bits": 4, "mode": "affine"}` holds for every layer that can be quantised; beside it
stand the modules that differ, by their path: `{"group_size": 64, "bits": 8}`, or false where one stays wide. The same
object is repeated as `quantization_config`, without a `quant_method`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from calculator.architecture.fields import Fields
from calculator.architecture.shape import ModuleFormat, Quantization
from calculator.architecture.shown import short

METHOD = "mlx-lm"
BITS = (1, 2, 3, 4, 5, 6, 8)  # mlx 0.32.4, `ops.cpp` (`validate_mode_with_type`, `affine_quantize`)
GROUP_SIZES = (32, 64, 128)
MODES: Mapping[str, tuple[int, int]] = {"affine": (64, 4), "mxfp4": (32, 4), "nvfp4": (16, 4), "mxfp8": (32, 8)}
"""Group size and bits where a mode is given alone; every mode but `affine` allows no others."""

_OWN_KEYS = frozenset({"group_size", "bits", "mode", "global_scale", "quantize_input"})
_OTHER_TOWERS = re.compile(r"(^|[._])(vision|visual|audio|multi_?modal|mm_|image|embed_vision|embed_audio)")
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.([0-9]{1,4})\.(.+)$")
_ATTENTION = {
    **{f"{name}_proj": (f"attn_{name}",) for name in "qkv"},
    **dict.fromkeys(("o_proj", "out_proj", "dense"), ("attn_output",)),
    "qkv_proj": ("attn_qkv",),
    "gate_proj": ("attn_gate",),
    "g_proj": ("attn_gate", "ssm_g"),
    "q_a_proj": ("attn_q_a",),
    "q_b_proj": ("attn_q_b",),
    "kv_a_proj_with_mqa": ("attn_kv_a_mqa",),
    "kv_b_proj": ("attn_kv_b",),
    "embed_q": ("attn_k_b",),  # the two halves of `kv_b_proj`, which mlx-lm stores apart
    "unembed_out": ("attn_v_b",),
    "indexer.wq_b": ("indexer.attn_q_b",),
    "indexer.wk": ("indexer.attn_k",),
    "indexer.weights_proj": ("indexer.proj",),
    "index_q_proj": ("indexer.q_proj",),
    "index_k_proj": ("indexer.k_proj",),
    "b_proj": ("ssm_beta",),
    **{f"{name}_{half}_proj": (f"ssm_{name}_{half}",) for name in "fg" for half in "ab"},
}
_PLAIN = {
    **dict.fromkeys(("gate_proj", "w1"), "ffn_gate"),
    **dict.fromkeys(("up_proj", "w3", "fc1", "c_fc", "gate_up_proj", "in_proj"), "ffn_up"),
    **dict.fromkeys(("down_proj", "w2", "fc2", "c_proj"), "ffn_down"),
}
_GATED = {"gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down", "fc1": "ffn_up", "fc2": "ffn_down"}
_STACKED = {name: (f"{role}_exps",) for name, role in _GATED.items()}
_FEED_FORWARD = {
    **{name: (role,) for name, role in _PLAIN.items()},
    **{f"{stack}.{name}": roles for stack in ("switch_mlp", "experts") for name, roles in _STACKED.items()},
    **{
        f"{shared}.{name}": (f"{role}_shexp",)
        for shared in ("shared_expert", "shared_experts", "share_expert")
        for name, role in _GATED.items()
    },
    **dict.fromkeys(
        ("gate", "router", "router.gate", "router.layer", "gate.gate_proj", "gate.gate", "gate.proj"), ("ffn_gate_inp",)
    ),
    "shared_expert_gate": ("ffn_gate_inp_shexp",),
    "fc1_latent_proj": ("ffn_latent_down",),
    "fc2_latent_proj": ("ffn_latent_up",),
    "routed_expert_down_proj": ("ffn_routed_down",),
    "routed_expert_up_proj": ("ffn_routed_up",),
}
_STATE_SPACE = {"in_proj": ("ssm_in",), "out_proj": ("ssm_out",), "x_proj": ("ssm_x",), "dt_proj": ("ssm_dt",)}
_LINEAR = {
    "in_proj_qkv": ("attn_qkv",),
    "in_proj_z": ("attn_gate",),
    "in_proj_qkvz": ("attn_qkv", "attn_gate"),
    "in_proj_a": ("ssm_alpha",),
    "in_proj_b": ("ssm_beta",),
    "in_proj_ba": ("ssm_ba",),
    "out_proj": ("ssm_out",),
}
_PARENTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("self_attn", "attention", "attn"), _ATTENTION),
    **dict.fromkeys(("mlp", "feed_forward", "block_sparse_moe", "shared_mlp"), _FEED_FORWARD),
    "mixer": _ATTENTION | _FEED_FORWARD | _STATE_SPACE,  # Nemotron-H calls every kind of layer so
    "mamba": _STATE_SPACE,
    "linear_attn": _LINEAR,
    "conv": {"in_proj": ("shortconv.in_proj",), "out_proj": ("shortconv.out_proj",)},
    "router": {"proj": ("ffn_gate_inp",)},
    "experts": {f"switch_glu.{name}": roles for name, roles in _STACKED.items()},
    "per_layer_input_gate": {"": ("inp_gate",)},
    "per_layer_projection": {"": ("proj",)},
}
_OUTSIDE = {
    **dict.fromkeys(("embed_tokens", "embeddings", "embedding", "wte", "word_embeddings"), ("token_embd",)),
    "lm_head": ("output",),
    "embed_tokens_per_layer": ("per_layer_token_embd",),
    "per_layer_model_projection": ("per_layer_model_proj",),
}


def is_mlx(settings: Mapping[str, object]) -> bool:
    """Whether an object is MLX's: a group size and bits, a mode at most, and paths of modules that differ."""
    if not {"group_size", "bits"} <= settings.keys():
        return False
    others = {key: value for key, value in settings.items() if key not in _OWN_KEYS}
    return all(
        isinstance(value, Mapping) or (isinstance(value, bool) and ("." in key or key in _OUTSIDE))
        for key, value in others.items()
    )


def format_name(bits: int, group_size: int, mode: str = "affine") -> str:
    """As repositories are called: "4bit" in groups of 64, "4bit-g32", "mxfp4".

    >>> format_name(4, 64), format_name(8, 32), format_name(4, 32, "mxfp4")
    ('4bit', '8bit-g32', 'mxfp4')
    """
    if mode != "affine":
        return mode
    return f"{bits}bit" if group_size == MODES[mode][0] else f"{bits}bit-g{group_size}"


def read_mlx(q: Fields) -> tuple[Quantization, tuple[str, ...]]:
    """How the checkpoint is quantised, and the paths of modules that no tensor here is known by."""
    q.used.update(q.config)
    name = _checked(q, q.config)
    modules: list[ModuleFormat] = []
    unknown: list[str] = []
    for path, settings in q.config.items():
        if path in _OWN_KEYS or _OTHER_TOWERS.search(path):
            continue
        found = tuple(_roles(path))
        if not found:
            unknown.append(path)
        narrow = _checked(q, {"mode": "affine", **settings}, path) if isinstance(settings, Mapping) else ""
        if settings is not True:
            modules += [ModuleFormat(role, layer, narrow) for role, layer in found]
    return Quantization(method=METHOD, name=name, modules=tuple(modules)), tuple(unknown)


def _checked(q: Fields, settings: Mapping[str, object], path: str = "") -> str:
    """The name of one module's format; a fault where mlx has no such format."""
    mode = settings.get("mode", "affine")
    default = MODES.get(mode) if isinstance(mode, str) else None
    where = f"{path}." if path else ""
    if default is None:
        q.fault(f"{where}mode", "unknown_format", value=short(mode))
        return "4bit"
    group, bits = settings.get("group_size", default[0]), settings.get("bits", default[1])
    groups, widths = (GROUP_SIZES, BITS) if mode == "affine" else ((default[0],), (default[1],))
    for key, value, known in (("bits", bits, widths), ("group_size", group, groups)):
        if type(value) is not int or value not in known:
            q.fault(f"{where}{key}", "unknown_format", value=short(value))
            return "4bit"
    return format_name(int(str(bits)), int(str(group)), str(mode))


def _roles(path: str) -> Iterator[tuple[str, int | None]]:
    """The tensors that a module's path stands for, each with its layer."""
    inside = _LAYER.search(path)
    if inside is None:
        yield from ((role, None) for role in _OUTSIDE.get(path.rpartition(".")[2], ()))
        return
    parent, _, rest = inside[2].partition(".")
    yield from ((role, int(inside[1])) for role in _PARENTS.get(parent, {}).get(rest, ()))
