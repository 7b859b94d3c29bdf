"""`params.json`, the file of Mistral's and Meta's own code -> the same model in the keys of a config.json.

Mistral: vLLM 0.33.0, `transformers_utils/configs/mistral.py` (`adapt_config_dict`). Meta: `llama/model.py` of
meta-llama/llama (`FeedForward`, `Transformer`) and `models/llama3/args.py` of meta-llama/llama-models. Keys that
neither has stay as they are, so that the reader refuses those that may bear on the shape.
"""

from __future__ import annotations

from collections.abc import Mapping

from calculator.architecture.errors import ConfigError, Fault

File = Mapping[str, object]

_COMMON = {
    "dim": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "norm_eps": "rms_norm_eps",
    "hidden_dim": "intermediate_size",
    "tied_embeddings": "tie_word_embeddings",
    "max_seq_len": "max_position_embeddings",
}
_EXPERTS = {
    "num_experts": "n_routed_experts",
    "num_experts_per_tok": "num_experts_per_tok",
    "expert_hidden_dim": "moe_intermediate_size",
    "num_shared_experts": "n_shared_experts",
    "first_k_dense_replace": "first_k_dense_replace",
    "num_expert_groups": "n_group",
    "num_expert_groups_per_tok": "topk_group",
}
_EVERY_LAYER = {"route_every_n": 1}
_NO_SHAPE = frozenset(
    {"max_batch_size", "model_parallel_size", "lora", "activation", "yarn", "llama_4_scaling", "rope_theta", "causal"}
    | {"use_scaled_rope", "rope_scaling_factor", "high_freq_factor", "use_biases", "biases"}
)
_VISION = {
    **{key: key for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")},
    **{key: key for key in ("num_channels", "image_size", "patch_size", "rope_theta")},
}


def is_params(file: File) -> bool:
    """Mistral's or Meta's; DeepSeek's own files name their feed-forward sizes otherwise, others a type of their own."""
    known = "hidden_dim" in file or "ffn_dim_multiplier" in file or "multiple_of" in file
    return (
        {"dim", "n_layers", "n_heads"} <= file.keys()
        and known
        and file.get("model_type", "transformer") == "transformer"
    )


def config_of_params(file: File) -> dict[str, object]:
    """Raises ConfigError for sizes that are no numbers, and for what these files can hold and no reader knows."""
    _check(file)
    config: dict[str, object] = {"model_type": "llama", "tie_word_embeddings": False}
    config |= {_COMMON.get(key, key): value for key, value in file.items() if key not in _NO_SHAPE}
    config["model_type"] = "llama" if "multiple_of" in file else "mistral"
    config |= {key: config.get(key) for key in ("sliding_window", "max_position_embeddings")}  # nothing said is none
    config.setdefault("num_key_value_heads", file["n_heads"])
    if "hidden_dim" not in file:
        config["intermediate_size"] = feed_forward_size(file)
    for key in ("multiple_of", "ffn_dim_multiplier"):
        config.pop(key, None)
    _window(config)
    _quantization(config)
    _experts(config)
    return _with_encoder(config)


def feed_forward_size(file: File) -> int:
    """Meta's: two thirds of four times the hidden size, times the multiplier, up to a multiple.

    >>> feed_forward_size({"dim": 4096, "ffn_dim_multiplier": 1.3, "multiple_of": 1024})
    14336
    """
    multiple, multiplier = file.get("multiple_of", 256), file.get("ffn_dim_multiplier") or 1
    hidden = int(2 * (4 * int(str(file["dim"]))) / 3)
    hidden = int(float(str(multiplier)) * hidden)
    step = int(str(multiple))
    return step * -(-hidden // step)


def _check(file: File) -> None:
    faults = [
        Fault(key, "not_an_integer", {"value": str(file[key])[:40]})
        for key in ("dim", "n_layers", "n_heads", "multiple_of")
        if key in file and (type(file[key]) is not int or not 0 < int(str(file[key])) < 2**27)
    ]
    multiplier = file.get("ffn_dim_multiplier") or 1
    if type(multiplier) not in (int, float) or not 0 < float(str(multiplier)) < 100:
        faults.append(Fault("ffn_dim_multiplier", "not_a_number", {"value": str(multiplier)[:40]}))
    if file.get("vocab_size") == -1:  # Llama 2: its code asks the tokeniser
        faults.append(Fault("vocab_size", "vocabulary_elsewhere"))
    if file.get("use_biases") or file.get("biases"):
        faults.append(Fault("use_biases", "unsupported_value", {"value": "true"}))
    if faults:
        raise ConfigError.collect(faults)


def _window(config: dict[str, object]) -> None:
    """A list repeats over the layers; null is full attention."""
    window, layers = config.get("sliding_window"), int(str(config["num_hidden_layers"]))
    if not isinstance(window, list) or not 0 < len(window) <= layers <= 512:
        return
    sizes = {size for size in window if type(size) is int}
    if len(sizes) > 1:
        raise ConfigError("sliding_window", "differs_between_layers")
    repeated = (window * -(-layers // len(window)))[:layers]
    config["model_type"] = "ministral"
    config["layer_types"] = ["full_attention" if size is None else "sliding_attention" for size in repeated]
    config["sliding_window"] = next(iter(sizes), None)


def _quantization(config: dict[str, object]) -> None:
    stated = config.pop("quantization", None)
    if not isinstance(stated, Mapping) or not stated:
        return
    if stated.get("qformat_weight") == "fp8_e4m3":
        dynamic = stated.get("qscheme_act") == "NO_SCALES"
        config["quantization_config"] = {
            "quant_method": "fp8",
            "activation_scheme": "dynamic" if dynamic else "static",
        }
    else:
        config["quantization_config"] = dict(stated)


def _experts(config: dict[str, object]) -> None:
    stated = config.pop("moe", None)
    if not isinstance(stated, Mapping) or not stated:
        return
    experts = {key: value for key, value in stated.items() if _EVERY_LAYER.get(key) != value}
    if experts.get("num_shared_experts") or config.get("qk_nope_head_dim"):
        config |= {_EXPERTS.get(key, key): value for key, value in experts.items()}
        config["model_type"] = "deepseek_v3"
        config.pop("head_dim", None)
        return
    size = experts.pop("expert_hidden_dim", None)
    config |= experts
    config["model_type"] = "mixtral"
    if size is not None:
        config["intermediate_size"] = size


def _with_encoder(config: dict[str, object]) -> dict[str, object]:
    """Pixtral's, as Mistral Small 3.1 has it (`transformers`, `convert_mistral3_weights_to_hf.py`)."""
    own = config.pop("multimodal", None)
    sound = own.get("whisper_model_args") if isinstance(own, Mapping) else None
    if sound:
        raise ConfigError("multimodal.whisper_model_args", "unsupported_value", value="whisper")
    inner = own.get("vision_encoder_args") if isinstance(own, Mapping) else None
    vision = config.pop("vision_encoder", None) or inner
    if not isinstance(vision, Mapping):
        return config
    if vision.get("mm_projector_id", "") != "patch_merge":
        raise ConfigError(
            "vision_encoder.mm_projector_id", "unsupported_value", value=str(vision.get("mm_projector_id"))[:40]
        )
    return {
        "model_type": "mistral3",
        "tie_word_embeddings": config.get("tie_word_embeddings", False),
        "text_config": config,
        "vision_config": {"model_type": "pixtral"}
        | {new: vision[old] for old, new in _VISION.items() if vision.get(old) is not None},
        "spatial_merge_size": vision.get("spatial_merge_size", 2),
        "multimodal_projector_bias": bool(vision.get("adapter_bias", False)),
        **({"quantization_config": config.pop("quantization_config")} if "quantization_config" in config else {}),
    }
