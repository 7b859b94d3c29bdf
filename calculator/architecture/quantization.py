"""How the checkpoint stores its weights: `torch_dtype` and `quantization_config` -> a format for every tensor."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from calculator.architecture.errors import MOST_FAULTS, Fault
from calculator.architecture.fields import Fields
from calculator.architecture.libraries import LISTS
from calculator.architecture.methods import method_name, rules_of
from calculator.architecture.mlx import is_mlx, read_mlx
from calculator.architecture.modules import names_of, routers
from calculator.architecture.on_the_fly import METHODS as TRANSFORMERS_ALONE
from calculator.architecture.rules import Matcher
from calculator.architecture.schemes import cache_of, pair, whole
from calculator.architecture.shape import Quantization, Scheme, Tensor
from calculator.architecture.shown import in_json, short

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
INHERITED_SETTINGS = ("quantization_config", "quantization", "compression_config")
_MAYBE_ROUTED = range(4)  # the first layers may be dense; of published models no more than three are
_QUANTISED_NAME = re.compile(r"(?i)(nvfp4|mxfp[48]|fp8|awq|gptq|w[48]a(?:4|8|16)|int[48]|bnb-?[48]bit|[48]-?bit)\b")


@dataclass(frozen=True)
class Storage:
    """`base` names the format of what is not quantised; `matcher` says which tensor is stored how."""

    base: str
    model_type: str = ""
    quantization: Quantization | None = None
    matcher: Matcher | None = None
    assumptions: tuple[str, ...] = ()  # where the file says too little, or what nobody here knows
    name: str = ""  # of the format of a checkpoint whose tensors stand here as they were before
    of_whole: bool = True  # false where the language model's own part of the file says it, of itself
    _known: dict[tuple[str, str, int | None], str] = field(default_factory=dict)

    def dtype(self, role: str, dimensions: int, kind: str, part: str, layer: int | None, mtp: int = 0) -> str:
        """A vector is never quantised: scales belong to matrices. `mtp`: the number of a prediction layer, from 0."""
        if kind == "buffer":
            return "F32"
        matrix = part in ("text", "mtp") and kind == "weight" and dimensions > 1 and not role.startswith("nextn.")
        if self.matcher is None or not matrix:
            return self.base
        key = (role, part, layer if self.matcher.by_layer else layer and 1)
        if key not in self._known:
            scheme = self._scheme(self.matcher, role, part, layer, mtp)
            self._known[key] = self.base if scheme is None else scheme.dtype
        return self._known[key]

    def tower_dtype(self, role: str, kind: str, layer: int | None, inputs: int) -> str:
        """Of a tensor of an encoder: whether something narrows it is the method's own rule. `inputs`: those of a linear
        layer, 0 for all else; torchao leaves it wide where groups do not fill its rows
        (`_int4_weight_only_quantize_tensor`)."""
        if kind == "buffer":
            return "F32"
        if self.matcher is None or not inputs or kind != "weight" or not self.of_whole:
            return self.base
        scheme = self.matcher.of_tower(role, layer)
        of_torchao = self.quantization is not None and self.quantization.method == "torchao"
        if scheme is None or (of_torchao and inputs % (scheme.group_size or 1)):
            return self.base
        return scheme.dtype

    def _scheme(self, matcher: Matcher, role: str, part: str, layer: int | None, mtp: int) -> Scheme | None:
        names = names_of(role, self.model_type, layer)
        if layer is None:
            return matcher.outside(names)
        if _WIDE.search(role):
            return None
        if part == "mtp":
            names += tuple(name.replace(f"model.layers.{layer}.", f"mtp.layers.{mtp}.") for name in names)
        wrapped = (name.replace("model.", "model.language_model.", 1) for name in names)
        swapped = (name.replace("model.", "language_model.model.", 1) for name in names)
        return matcher.scheme((*names, *wrapped, *swapped), is_expert=role.endswith("_exps"))

    def native(self, tensors: Iterable[Tensor]) -> str:
        """The name of the format of most weights, as checkpoints of this method are called."""
        if self.name or self.matcher is None:
            return self.name or self.base
        counted = Counter[str]()
        for tensor in tensors:
            counted[tensor.dtype] += tensor.elements
        most = max(self.matcher.schemes, key=lambda scheme: counted[scheme.dtype], default=None)
        if most is None or not counted[most.dtype]:
            return self.base
        method = self.quantization.method if self.quantization is not None else ""
        return _NAMES.get((method, most.dtype), most.dtype.partition("-")[0])


_METHODS_WITH_BITS = ("awq", "gptq", "auto-round", "intel/auto-round")
_NAMES = {("awq", "INT4"): "AWQ", ("gptq", "INT4"): "GPTQ", ("modelopt", "INT4"): "AWQ"}


def read_storage(c: Fields) -> Storage:
    """The config of the language model says it, or the file around it."""
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
    c.ignore("quantization", "quantization_config", "compression_config")
    if q is None:
        compressed = c.config.get("compression_config")
        q = c.part("compression_config") if isinstance(compressed, Mapping) else None
    if q is None or not q.config:
        return _unquantised(c, base)
    return _quantised(c, q, "BF16" if base == "FP8" else base)


def _unquantised(c: Fields, base: str) -> Storage:
    if base == "FP8":
        rules = rules_of({"quant_method": "fp8"})
        return _with_matcher(c, Matcher(rules), "fp8", "BF16") if rules else Storage("BF16")
    word = word_of_quantisation((c.outer or c).config.get("_name_or_path") or c.config.get("_name_or_path"))
    return Storage(base, assumptions=(f"name_says_quantised:{word}",) if word else ())


def word_of_quantisation(name: object) -> str | None:
    """What a repository's name says of how it is quantised: "NVFP4", "FP8", "AWQ" ...

    >>> word_of_quantisation("nvidia/Qwen3-8B-NVFP4"), word_of_quantisation("google/gemma-3-4b-it")
    ('NVFP4', None)
    """
    found = _QUANTISED_NAME.search(name) if isinstance(name, str) else None
    return found[0] if found else None


def _quantised(c: Fields, q: Fields, base: str) -> Storage:
    q.used.update(q.config)
    inner = q.config.get("quantization")  # ModelOpt's own file nests it
    settings = {**q.config, **(inner if isinstance(inner, Mapping) else {})}
    if c.has("expert_dtype"):
        settings["expert_dtype"] = c.word("expert_dtype")
    method = method_name(settings)
    _check_types(q, method)
    rules = rules_of(settings)
    if rules is None:
        said = str(settings.get("quant_algo") or settings.get("quant_method") or method or "?")[:40]
        unread = Quantization(method=method, cache=cache_of(settings))
        return Storage(base, quantization=unread, assumptions=(f"method_not_modelled:{said}",))
    matcher = Matcher(rules)
    if matcher.slow:
        q.fault("ignore", "unsupported_value", value=matcher.slow[:80])
    storage = _with_matcher(c, matcher, method, base, rules.wide_activations, cache_of(settings))
    assumptions: tuple[str, ...] = (rules.unclear,) if rules.unclear else ()
    if method in TRANSFORMERS_ALONE and matcher.schemes:
        assumptions += (f"transformers_checkpoint:{method}",)
    return replace(storage, assumptions=assumptions, of_whole=_says_of_whole(c))


def _says_of_whole(c: Fields) -> bool:
    """Kimi K2.5's part for the text holds what is quantised, and its encoder is wide."""
    return c.outer is None or any(c.outer.config.get(key) is not None for key in INHERITED_SETTINGS)


def _with_matcher(
    c: Fields, matcher: Matcher, method: str, base: str, wide_activations: bool = False, cache: str = ""
) -> Storage:
    routed = [name for layer in _MAYBE_ROUTED for name in routers(c.model_type, layer)]
    quantization = Quantization(
        method=method,
        schemes=matcher.schemes,
        wide_activations=wide_activations,
        wide_routers=matcher.leaves_out(routed),
        cache=cache,
    )
    return Storage(base, c.model_type, quantization, matcher)


def _read_mlx(c: Fields, name: str, settings: Mapping[str, object], base: str) -> Storage:
    """Tensors keep the dtype of the model that was quantised: no engine but MLX's reads the packed ones."""
    c.ignore("quantization", "quantization_config")
    q = Fields(settings, "quantization", path=f"{c.path}{name}.", nested=True, faults=c.faults)
    details, unknown = read_mlx(q)
    assumptions = ("mlx_checkpoint", "mlx_modules_unknown") if unknown else ("mlx_checkpoint",)
    base = "BF16" if base == "FP8" else base
    return Storage(base, quantization=details, assumptions=assumptions, name=details.name)


_GROUPS = ("group_size", "q_group_size")
_LEAST_GROUP, _MOST_GROUP = 8, 2**16  # packed eight at a time; the largest published are 1,024
_BY_GROUPS = ("group", "tensor_group")


def _check_groups(q: Fields, settings: Mapping[str, object], path: str = "") -> None:
    """A scale for every so many weights, wherever a quantiser states it: -1 and 0 are a row, as is null where nothing
    says that there are groups."""
    for name in _GROUPS:
        value = settings.get(name)
        number = whole(value)
        stated = name in settings and (value is not None or settings.get("strategy") in _BY_GROUPS)
        if stated and number is None:
            _fault(q, path + name, "not_an_integer", value=in_json(value))
        elif number is not None and number not in (-1, 0) and not _LEAST_GROUP <= number <= _MOST_GROUP:
            _fault(q, path + name, "out_of_range", value=short(value), least=_LEAST_GROUP, most=_MOST_GROUP)
    if settings.get("strategy") in _BY_GROUPS and not any(name in settings for name in _GROUPS):
        _fault(q, f"{path}group_size", "missing")
    for key, inner in settings.items():
        if isinstance(inner, Mapping) and path.count(".") < _NESTED:
            _check_groups(q, inner, f"{path}{str(key)[:80]}.")


_NESTED = 4  # config_groups.group_0.weights


def _fault(q: Fields, key: str, reason: str, **values: object) -> None:
    if len(q.faults) < MOST_FAULTS:
        q.faults.append(Fault(q.path + key, reason, values))


def _check_types(q: Fields, method: str) -> None:
    """What is read from here is read leniently, as methods write it in several places; but not whatever its type."""
    _check_groups(q, q.config)
    if method in _METHODS_WITH_BITS:
        name = "bits" if "bits" in q.config else "w_bit"
        if name in q.config and whole(q.config[name]) is None:
            q.fault(name, "unknown_format", value=str(q.config[name])[:40])
    for name in ("bnb_4bit_use_double_quant", "load_in_4bit", "load_in_8bit"):
        q.flag(name)
    for name in LISTS:
        q.words(name)
    for name in ("config_groups", "quantized_layers", "dynamic", "extra_config"):
        value = q.config.get(name)
        if value is not None and not isinstance(value, Mapping):
            q.fault(name, "not_an_object", value=short(value))
    if method in _METHODS_WITH_BITS and not any(q.has(name) for name in _GROUPS):
        q.fault("group_size", "missing")
    if q.has("weight_block_size") and pair(q.value("weight_block_size")) is None:
        q.fault("weight_block_size", "unsupported_value", value=str(q.value("weight_block_size"))[:40])
