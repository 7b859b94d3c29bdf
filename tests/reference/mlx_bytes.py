"""What mlx-lm itself makes of a config: bytes of its weights in every format, and of its caches. Nothing is computed.

mlx arrays are lazy, so a model of any size is built, quantised and run on the CPU build in a second or two.

pip install "mlx[cpu]==0.32.4" mlx-lm==0.32.2
python tests/reference/mlx_bytes.py CONFIG.json ... > tests/reference/mlx_recipes.jsonl
"""

import contextlib
import copy
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten, tree_map_with_path
from mlx_lm.convert import QUANT_RECIPES, mixed_quant_predicate_builder
from mlx_lm.models.cache import make_prompt_cache
from mlx_lm.utils import _get_classes, quantize_model

FORMATS: dict[str, dict[str, Any]] = {
    **{f"{bits}bit": {"group_size": 64, "bits": bits} for bits in (8, 6, 4, 3)},
    **{f"4bit-g{group}": {"group_size": group, "bits": 4} for group in (32, 128)},
    **{mode: {"group_size": None, "bits": None, "mode": mode} for mode in ("mxfp8", "mxfp4", "nvfp4")},
}
DTYPES = {"float16": ("FP16", mx.float16), "float32": ("FP32", mx.float32)}
CONTEXTS = (1, 300, 5000)
PIECE = 2048
# What bears no shape and trimmed configs leave out, so that a model can be made at all.
BEARS_NO_SHAPE: dict[str, Any] = {
    **dict.fromkeys(("rms_norm_eps", "norm_eps", "layer_norm_eps", "layer_norm_epsilon"), 1e-6),
    **dict.fromkeys(("rope_theta", "rope_local_base_freq", "max_position_embeddings", "query_pre_attn_scalar"), 10_000),
    **dict.fromkeys(("logits_scaling", "attention_multiplier", "embedding_multiplier", "residual_multiplier"), 1.0),
    **dict.fromkeys(("routed_scaling_factor", "scale_depth", "scale_emb", "dim_model_base"), 1),
    **dict.fromkeys(("n_group", "topk_group"), 1),
    **dict.fromkeys(("rope_scaling", "final_logit_softcapping", "activation_sparsity_pattern"), None),
    **dict.fromkeys(("norm_topk_prob", "altup_correct_scale", "moe_router_enable_expert_bias"), True),
    **dict.fromkeys(("rope_traditional", "rope_interleave"), False),
    **dict.fromkeys(("scoring_func", "score_function", "score_func"), "sigmoid"),
    "partial_rotary_factor": 0.5,
    "topk_method": "noaux_tc",
    "time_step_limit": [0.0, 1e9],
    "time_step_min": 0.001,
    "time_step_max": 0.1,
    "altup_coef_clip": 1.0,
    "altup_active_idx": 0,
}


def build(config: dict[str, Any], dtype: mx.Dtype) -> Any:
    model_class, arguments = _get_classes(config)
    while True:
        try:
            model = model_class(arguments.from_dict(copy.deepcopy(config)))
            break
        except TypeError as error:
            missing = [name for name in re.findall(r"'(\w+)'", str(error)) if name in BEARS_NO_SHAPE]
            if not missing:
                raise
            for part in (config, *(part for part in config.values() if isinstance(part, dict))):
                part.update({name: BEARS_NO_SHAPE[name] for name in missing if name not in part})
    modules: tuple[Any, ...] = (model, getattr(model, "language_model", None))
    for module in modules:  # Gemma 3 learns from weights that it has no head
        with contextlib.suppress(AttributeError, KeyError, IndexError, TypeError):
            module.sanitize({})
    casts = getattr(model, "cast_predicate", lambda path: True)
    cast = tree_map_with_path(lambda path, array: array.astype(dtype) if casts(path) else array, model.parameters())
    model.update(cast)
    return model


def weight_bytes(model: Any) -> int:
    return sum(array.nbytes for _, array in tree_flatten(model.parameters()))


def forget(cache: Any) -> None:
    """Keep shapes and drop what led to them: nothing is evaluated here."""
    for name in ("keys", "values"):
        if isinstance(getattr(cache, name, None), mx.array):
            setattr(cache, name, mx.zeros(getattr(cache, name).shape, getattr(cache, name).dtype))
    if isinstance(getattr(cache, "cache", None), list):
        cache.cache = [array if array is None else mx.zeros(array.shape, array.dtype) for array in cache.cache]
    for inner in getattr(cache, "caches", ()):
        forget(inner)


def cache_bytes(model: Any, context: int) -> int:
    """After a prompt in pieces and one new token."""
    caches = make_prompt_cache(model)
    left = context - 1
    while left:
        model(mx.zeros((1, min(PIECE, left)), mx.int32), cache=caches)
        left -= min(PIECE, left)
        for cache in caches:
            forget(cache)
    model(mx.zeros((1, 1), mx.int32), cache=caches)
    return sum(cache.nbytes for cache in caches)


def answer(path: Path) -> dict[str, Any]:
    config = json.loads(path.read_text(encoding="utf-8"))
    for part in (config, config.get("text_config") or {}):
        part.pop("quantization_config", None)
    text = config.get("text_config") or config
    stated = next((part[key] for part in (config, text) for key in ("torch_dtype", "dtype") if part.get(key)), "")
    wide, dtype = DTYPES.get(stated, ("BF16", mx.bfloat16))
    name = path.stem if path.parent.name == "configs" else f"{path.parent.parent.name}/{path.parent.name}"
    model = build(config, dtype)
    sizes = {wide: weight_bytes(model)}
    for form in (*FORMATS, *QUANT_RECIPES):
        model = build(config, dtype)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(ValueError):  # a recipe may find no names
            options = FORMATS.get(form) or {
                "group_size": 64,
                "bits": 4,
                "quant_predicate": mixed_quant_predicate_builder(form, model, 64),
            }
            sizes[form] = weight_bytes(quantize_model(model, config, **options)[0])
    model = build(config, dtype)
    caches = {str(context): cache_bytes(model, context) for context in CONTEXTS}
    return {"config": name, "module": type(model).__module__.rpartition(".")[2], "bytes": sizes, "cache": caches}


for argument in sys.argv[1:]:
    try:
        print(json.dumps(answer(Path(argument))), flush=True)
    except (TypeError, KeyError, ValueError, AttributeError) as error:  # a trimmed config, or a type that is not there
        print(f"{argument}: {error}", file=sys.stderr)
