"""How the checkpoint stores its weights: `torch_dtype` and `quantization_config` -> a format for every tensor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from calculator.architecture.fields import Fields
from calculator.architecture.left_out import LeftOut, are_quick, is_quick
from calculator.architecture.mlx import is_mlx, read_mlx
from calculator.architecture.shape import Quantization

DTYPES = {
    "bfloat16": "BF16",
    "float16": "F16",
    "half": "F16",
    "float32": "F32",
    "float": "F32",
    "float8_e4m3fn": "FP8",
}
# Never quantised: routers, convolutions and small vectors, the weights of an indexer's vote, residual mixing.
_WIDE = re.compile(
    r"ffn_gate_inp|^ssm_(?!(in|out)$)|^shortconv\.conv|_norm|^indexer\.proj|^hc_|^altup|^laurel|compressor|scale|kpool"
)
# The module a role comes from, as lists of modules that are left out name it.
_MODULES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_qkv": "self_attn.qkv_proj",
    "attn_output": "self_attn.o_proj",
    "attn_gate": "self_attn.gate_proj",
    "attn_q_a": "self_attn.q_a_proj",
    "attn_q_b": "self_attn.q_b_proj",
    "attn_kv_a_mqa": "self_attn.kv_a_proj_with_mqa",
    "attn_kv_b": "self_attn.kv_b_proj",
    "indexer.attn_q_b": "self_attn.indexer.wq_b",
    "indexer.attn_k": "self_attn.indexer.wk",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "ffn_gate_exps": "mlp.experts.0.gate_proj",
    "ffn_up_exps": "mlp.experts.0.up_proj",
    "ffn_down_exps": "mlp.experts.0.down_proj",
    "ffn_gate_shexp": "mlp.shared_experts.gate_proj",
    "ffn_up_shexp": "mlp.shared_experts.up_proj",
    "ffn_down_shexp": "mlp.shared_experts.down_proj",
}
# Recurrent layers have names of their own for some of these, and each family its own word for the layer.
_RECURRENT = {
    "attn_qkv": ("linear_attn.in_proj_qkv", "linear_attn.in_proj_qkvz"),
    "attn_gate": ("linear_attn.in_proj_z", "linear_attn.in_proj_qkvz"),
    "ssm_in": ("mamba.in_proj", "mixer.in_proj", "linear_attn.in_proj_qkvz"),
    "ssm_out": ("mamba.out_proj", "mixer.out_proj", "linear_attn.out_proj"),
}
_ROUTERS = ("mlp.gate", "mlp.router", "block_sparse_moe.gate", "feed_forward.gate", "feed_forward.router")
_MAYBE_ROUTED = range(4)  # the first layers may be dense; of published models no more than three are
_FORMATS = {"awq": "AWQ", "gptq": "GPTQ", "fp8": "FP8", "fbgemm_fp8": "FP8", "mxfp4": "MXFP4"}
_AROUND_LAYERS = re.compile(r"^(?:(?:model|language_model|backbone)\.)+layers\.")  # whatever stands around the text
_LISTS = ("modules_to_not_convert", "ignore", "exclude_modules", "ignored_layers")
_ALGORITHMS = {
    "FP8": "FP8",
    "NVFP4": "NVFP4",
    "FP8_PB_WO": "FP8",
    "W4A16_AWQ": "AWQ",
    "INT8_SQ": "INT8",
    "MXFP4": "MXFP4",
}


@dataclass(frozen=True)
class Storage:
    """`native` names the format of most weights, `base` that of what is not quantised, `experts` that of experts."""

    native: str
    base: str
    quantization: Quantization | None = None
    narrow: str = ""
    experts: str = ""
    experts_only: bool = False
    left_out: LeftOut = field(default_factory=lambda: LeftOut(()))
    assumptions: tuple[str, ...] = ()  # where the file says too little, or what nobody here knows
    _known: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def dtype(self, role: str, dimensions: int, kind: str, part: str, layer: int | None) -> str:
        """A vector is never quantised: scales belong to matrices."""
        if kind == "buffer":
            return "F32"
        narrowed = part in ("text", "mtp") and kind == "weight" and dimensions > 1 and not role.startswith("nextn.")
        if not self.narrow or not narrowed or layer is None:
            return self.base
        key = (role, kind, str(layer) if self.left_out.by_layer else "")
        if key not in self._known:
            self._known[key] = self._narrow(role, layer)
        return self._known[key]

    def _narrow(self, role: str, layer: int) -> str:
        is_expert = role.endswith("_exps")
        if _WIDE.search(role) or (self.experts_only and not is_expert):
            return self.base
        modules = (_MODULES.get(role, role), *_RECURRENT.get(role, ()))
        if any(f"model.layers.{layer}.{module}" in self.left_out for module in modules):
            return self.base
        return self.experts if is_expert and self.experts else self.narrow


def read_storage(c: Fields, *, assume_standard: bool = False) -> Storage:
    """The config of the language model says it, or the file around it. An unknown method is an error that names it."""
    word = c.word("dtype", "bfloat16").removeprefix("torch.")
    base = DTYPES.get(word)
    if base is None:
        c.fault("dtype", "unknown_format", value=word[:40])
        base = "BF16"
    for name in ("quantization", "quantization_config"):
        settings = c.config.get(name)
        if isinstance(settings, Mapping) and is_mlx(settings):
            return _read_mlx(c, name, settings, base)
    q = c.part("quantization_config", "quantization")
    if q is None:
        c.ignore("quantization_config", "compression_config")
        if base == "FP8":
            return Storage("FP8", "BF16", Quantization(method="fp8", bits=8), narrow="FP8")
        return Storage(base, base)
    base = "BF16" if base == "FP8" else base
    q.used.update(q.config)
    native = _format(q)
    if native is None:
        if not assume_standard and q.config.get("quant_algo") != "MIXED_PRECISION":
            _fault_format(q)
        return Storage(base, base, assumptions=("quantization_ignored",))
    if native == base:
        return Storage(base, base)
    _check_types(q)
    narrow = {"AWQ": "INT4", "GPTQ": "INT4"}.get(native, native)
    method = q.word("quant_method")
    weights = _group(q)
    left_out = LeftOut(_checked(q, _names(q)))
    details = Quantization(
        method=method,
        bits={"FP8": 8, "INT8": 8}.get(narrow, 4),
        group_size=_size(weights.get("group_size", q.config.get("group_size"))),
        per_channel=weights.get("strategy") == "channel",
        block=_block(q.config.get("weight_block_size") or weights.get("block_structure")),
        wide_activations=bool(weights) and not _group(q, "input_activations"),
        wide_routers=any(f"model.layers.{layer}.{name}" in left_out for layer in _MAYBE_ROUTED for name in _ROUTERS),
    )
    experts = ""
    if c.word("expert_dtype") == "fp4" or q.config.get("expert_dtype") == "fp4":  # DeepSeek-V4
        experts = native = "MXFP4"
    return Storage(
        native,
        base,
        details,
        narrow,
        experts,
        experts_only=method == "mxfp4",
        left_out=left_out,
    )


def _checked(q: Fields, names: list[str]) -> list[str]:
    """A fault, and no names, where matching them would take long."""
    patterns = [name for name in names if "*" in name or name.startswith("re:")]
    if are_quick(patterns):
        return names
    slow = next((name for name in patterns if not is_quick(name)), "")
    q.fault("ignore", "unsupported_value", value=slow[:80])
    return []


def _read_mlx(c: Fields, name: str, settings: Mapping[str, object], base: str) -> Storage:
    """Tensors keep the dtype of the model that was quantised: no engine but MLX's reads the packed ones."""
    c.ignore("quantization", "quantization_config")
    q = Fields(settings, "quantization", path=f"{c.path}{name}.", nested=True, faults=c.faults)
    details, unknown = read_mlx(q)
    assumptions = ("mlx_checkpoint", "mlx_modules_unknown") if unknown else ("mlx_checkpoint",)
    return Storage(details.name, "BF16" if base == "FP8" else base, details, assumptions=assumptions)


def _fault_format(q: Fields) -> None:
    method = q.word("quant_method")
    bits = "bits" if q.has("bits") else "w_bit"
    by_bits = method in ("awq", "gptq") and q.has(bits)
    name = bits if by_bits else "quant_algo" if method == "modelopt" else "quant_method"
    q.fault(name, "unknown_format", value=str(q.value(name))[:40])


def _check_types(q: Fields) -> None:
    """What is read from here is read leniently, as methods write it in several places; but not whatever its type."""
    q.size("group_size", None, least=-1)  # -1: one group a row
    for name in _LISTS:
        q.words(name)
    if q.has("weight_block_size") and _block(q.value("weight_block_size")) is None:
        q.fault("weight_block_size", "unsupported_value", value=str(q.value("weight_block_size"))[:40])


def _format(q: Fields) -> str | None:
    method = q.word("quant_method")
    if method == "compressed-tensors" or (not method and "config_groups" in q.config):
        return _compressed_tensors(q)
    if method == "modelopt" or method == "modelopt_fp4":
        inner = q.config.get("quantization")
        algorithm = inner.get("quant_algo") if isinstance(inner, dict) else q.config.get("quant_algo")
        return _ALGORITHMS.get(str(algorithm))
    if method in ("awq", "gptq"):
        bits = q.config.get("bits", q.config.get("w_bit", 4))
        return {4: _FORMATS[method], 8: "INT8"}.get(bits) if isinstance(bits, int) else None
    return _FORMATS.get(method)


def _compressed_tensors(q: Fields) -> str | None:
    weights = _group(q)
    bits = weights.get("num_bits", q.config.get("bits"))
    kind = weights.get("type", "int")
    if kind == "float":
        if bits == 4:
            return "MXFP4" if "mxfp4" in str(q.config.get("format")) or weights.get("group_size") == 32 else "NVFP4"
        return "FP8" if bits == 8 else None
    return {4: "INT4", 8: "INT8"}.get(bits) if isinstance(bits, int) else None


def _group(q: Fields, name: str = "weights") -> dict[str, object]:
    groups = q.config.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    found = first.get(name) if isinstance(first, dict) else None
    return found if isinstance(found, dict) else {}


def _names(q: Fields) -> list[str]:
    inner = q.config.get("quantization")
    sources = [q.config, inner] if isinstance(inner, dict) else [q.config]
    names: list[str] = []
    for source in sources:
        for key in _LISTS:
            listed = source.get(key)
            if isinstance(listed, list):
                names += [name for name in listed if isinstance(name, str) and name != "lm_head"]
    dynamic = q.config.get("dynamic")  # GPTQModel's: "-:" and an expression for what it skips
    if isinstance(dynamic, Mapping):
        names += [f"re:{name[2:]}" for name in dynamic if isinstance(name, str) and name.startswith("-:")]
    return [_AROUND_LAYERS.sub("model.layers.", name) for name in names]


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _block(value: object) -> tuple[int, int] | None:
    if isinstance(value, list) and len(value) == 2 and all(_size(item) for item in value):
        return (value[0], value[1])
    return None
