"""A config.json -> the shape of its model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from calculator.architecture.aliases import SPELLINGS, spellings
from calculator.architecture.assumptions import of_file
from calculator.architecture.decoder import Decoder
from calculator.architecture.errors import MOST_FAULTS, ConfigError, Fault
from calculator.architecture.families import FAMILIES
from calculator.architecture.families.dense import LLAMA
from calculator.architecture.families.diffusion import BLOCK_KEYS, DIFFUSION
from calculator.architecture.families.encoder_decoders import READERS_OF_TEXT
from calculator.architecture.families.image_readers import READERS_OF_IMAGES
from calculator.architecture.fields import MOST_MIXERS, Fields
from calculator.architecture.gguf_header import check_agrees, deepstack_in_file, is_header, is_ollama, read_header
from calculator.architecture.heads import check_no_draft, class_named
from calculator.architecture.holdable import check_holdable
from calculator.architecture.keys import may_bear_shape
from calculator.architecture.other_files import kind_of
from calculator.architecture.params import config_of_params, is_params
from calculator.architecture.prediction import with_prediction
from calculator.architecture.quantization import Storage, read_storage
from calculator.architecture.rotary import rotary_tables
from calculator.architecture.shape import Shape, Tensor
from calculator.architecture.tensors import Weight
from calculator.architecture.towers import FLAT_TOWERS, TOWERS, Tower
from calculator.architecture.wrappers import Wrapped, check_writes, unwrap

ENCODERS = ("vision", "audio")
_OTHER_MODALITIES = re.compile(r"vision|visual|audio|image|speech")


def read_config(config: Mapping[str, object], *, assume_standard: bool = False) -> Shape:
    """Read the shape of the model that a parsed config.json describes.

    `assume_standard` reads an unknown model type by the standard keys, and says so in `Shape.assumptions`. Raises
    ConfigError: `faults` names every key at fault.
    """
    if not isinstance(config, Mapping):
        raise ConfigError("", "not_an_object")
    if is_params(config):
        shape = read_config(config_of_params(config), assume_standard=assume_standard)
        return replace(shape, assumptions=("params_file", *shape.assumptions))
    if is_header(config) or is_ollama(config):
        return _of_file(config)
    kind = kind_of(config) if "model_type" not in config or "conv_template" in config else None
    if kind:
        raise ConfigError("", kind, **_named_in(config))
    check_no_draft(config)
    wrapped = unwrap(config)
    assumptions = _check_wrapper(wrapped, assume_standard) + _check_family(wrapped.text, assume_standard)
    family = FAMILIES.get(wrapped.text.model_type, LLAMA)
    try:
        model = with_prediction(wrapped.text, family(wrapped.text))
        towers = _towers(wrapped, model.hidden_size)
        storage = read_storage(wrapped.text)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        if not wrapped.outer.faults:
            raise
        raise ConfigError.collect(wrapped.outer.faults) from None  # a faulty value was read as 1, which fits nothing
    _note_unread(wrapped)
    if wrapped.outer.faults:
        raise ConfigError.collect(wrapped.outer.faults)
    _check_passes(model)
    layers = model.typed_layers()
    tensors = tuple(_tensors(model, towers, storage))
    shape = Shape(
        model_type=wrapped.text.model_type,
        hidden_size=model.hidden_size,
        vocab_size=model.vocab_size,
        context_tokens=model.context_tokens,
        tied_embeddings=model.tied_embeddings,
        layers=layers,
        tensors=tensors,
        native_format=storage.native(tensors),
        architecture=class_named(config),
        text_architecture=None if wrapped.text is wrapped.outer else class_named(wrapped.text.config),
        file_type=wrapped.outer.model_type,
        decoder_type=model.decoder_type,
        tower_heads=_tower_heads(wrapped.outer),
        image_tokens=_image_tokens(config),
        rotary=rotary_tables(wrapped.text, layers),
        mtp_mixers=tuple(block.mixers for block in model.mtp),
        mtp_feed_forwards=tuple(block.feed_forward for block in model.mtp),
        undescribed_mtp=model.undescribed_mtp,
        indexer_in_pairs=wrapped.text.config.get("indexer_rope_interleave") is True,
        states_correction=_states_correction(wrapped.text),
        state_dtype=_state_dtype(wrapped.text),
        assumptions=assumptions + storage.assumptions + of_file(wrapped, wrapped.outer.config),
        quantization=storage.quantization,
        reads_first=_reads_first(wrapped.text.model_type),
        diffusion=DIFFUSION.get(wrapped.text.model_type, ""),
        block_tokens=_block_tokens(wrapped),
        stated_experts=_stated_experts(wrapped.text),
    )
    check_holdable(shape, _parts(wrapped))
    return shape


def _check_passes(model: Decoder) -> None:
    """Layers and passes over them are bounded each by itself; what is computed for each in each is not."""
    mixers = sum(len(block.mixers) for block in model.layers)
    if mixers > MOST_MIXERS:
        raise ConfigError("num_hidden_layers", "out_of_range", value=mixers, least=1, most=MOST_MIXERS)


def _of_file(file: Mapping[str, object]) -> Shape:
    """The model that a GGUF file holds. What the converter leaves out is not there to be read: no key of a config is
    asked for twice."""
    config, tensors, counted = read_header(file)
    if counted and not tensors:  # only the count tells whether there is an output layer apart
        either = [read_config(config | {"tie_word_embeddings": tied}) for tied in (False, True)]
        shape = min(either, key=lambda one: abs(one.total_parameters - counted))
    else:
        shape = read_config(config)
    check_agrees(shape, tensors)
    kept = tuple(one for one in shape.assumptions if not one.startswith("default_not_taken"))
    return replace(
        shape,
        file_tensors=tensors,
        stated_deepstack=deepstack_in_file(file),
        assumptions=("gguf_file" if tensors else "gguf_metadata", *kept),
    )


_TOWER_HEADS = {
    **dict.fromkeys(("glm46v", "glm4v", "glm4v_moe"), 12),
    **dict.fromkeys(("exaone4_5", "glm_ocr", "llama4", "qwen2_5_vl", "qwen2_vl", "qwen3_5", "qwen3_5_moe"), 16),
    "intern_s2_preview": 16,
    **dict.fromkeys(("qwen3_vl", "qwen3_vl_moe", "qwen2_5_omni_thinker", "qwen3_omni_moe_thinker"), 16),
}
"""Of the configuration class in transformers, for files that leave it out."""


def _named_in(config: Mapping[str, object]) -> dict[str, object]:
    base = config.get("base_model_name_or_path")
    return {"base": base[:80] if isinstance(base, str) else "?"}


def _tower_heads(outer: Fields) -> int:
    vision = outer.config.get("vision_config")
    stated = (vision.get(key) for key in ("num_heads", "num_attention_heads")) if isinstance(vision, Mapping) else ()
    default = _TOWER_HEADS.get(outer.model_type, 0)
    return next((value for value in stated if type(value) is int and value > 0), default)


def _image_tokens(config: Mapping[str, object]) -> int:
    """Gemma 3 pools every image to as many tokens."""
    stated = config.get("mm_tokens_per_image", 256 if config.get("model_type") == "gemma3" else 0)
    return stated if type(stated) is int and stated > 0 else 0


def _states_correction(text: Fields) -> bool:
    return text.config.get("topk_method") == "noaux_tc" or text.config.get("use_routing_bias") is True


def _state_dtype(text: Fields) -> str | None:
    stated = text.config.get("mamba_ssm_dtype") or text.config.get("mamba_ssm_cache_dtype")
    return stated if isinstance(stated, str) else None


def _block_tokens(wrapped: Wrapped) -> int:
    stated = (part.config.get(key) for part in (wrapped.outer, wrapped.text) for key in BLOCK_KEYS)
    default = 256 if wrapped.outer.model_type == "diffusion_gemma" else 0  # of its class in transformers
    return next((value for value in stated if type(value) is int and 0 < value <= 2**16), default)


def _reads_first(model_type: str) -> str:
    return "text" if model_type in READERS_OF_TEXT else "image" if model_type in READERS_OF_IMAGES else ""


def _stated_experts(text: Fields) -> int:
    stated = (text.config.get(spelling) for spelling in spellings("num_experts"))
    return next((value for value in stated if type(value) is int), 0)


def _check_family(text: Fields, assume_standard: bool) -> tuple[str, ...]:
    if text.model_type in FAMILIES:
        return ()
    check_writes(text)
    if not assume_standard:
        raise ConfigError(f"{text.path}model_type", "unknown_model_type", value=text.model_type[:80])
    return ("standard_decoder",)


def _check_wrapper(wrapped: Wrapped, assume_standard: bool) -> tuple[str, ...]:
    """A file around a language model has to be one whose towers are known; else, on request, its text alone is read."""
    outer = wrapped.outer
    if wrapped.text is outer or outer.model_type in TOWERS:
        return ()
    if not assume_standard:
        raise ConfigError("model_type", "unknown_model_type", value=outer.model_type[:80])
    outer.used.update(outer.config)
    return ("text_only",)


def _towers(wrapped: Wrapped, hidden: int) -> tuple[Tower, ...]:
    model_type, apart = wrapped.outer.model_type, wrapped.text is not wrapped.outer
    build = TOWERS.get(model_type) if apart or model_type in FLAT_TOWERS else None
    return build(wrapped.outer, hidden) if build else ()


def _note_unread(wrapped: Wrapped) -> None:
    """Every key that may bear shape has to have been read by the model type's rule."""
    seen = set()
    for part in _parts(wrapped):
        for key, value in part.config.items():
            if len(part.faults) >= MOST_FAULTS:
                return
            if key in part.used or (part.path, key) in seen or not may_bear_shape(key, value):
                continue
            if key == "tie_word_embeddings" and _OTHER_MODALITIES.search(part.path):
                continue  # whole dumps of an encoder's settings say it, which has no output head to tie
            if not any(_is_copy(other, key, value) for other in _text_parts(wrapped, part)):
                seen.add((part.path, key))
                part.faults.append(Fault(part.path + key, "unknown_key", {"model_type": part.model_type}))


def _text_parts(wrapped: Wrapped, part: Fields) -> Iterator[Fields]:
    """The parts that describe the language model, but for this one. A file may say outside once more what they say:
    transformers 4.55 repeats them so, and only what stands inside counts."""
    inside = (inner for inner in wrapped.text.parts() if not _OTHER_MODALITIES.search(inner.path))
    return (other for other in (wrapped.text, *inside) if other is not part)


def _is_copy(other: Fields, key: str, value: object) -> bool:
    """Whether a part that was read says the same, in any spelling; an explicit null outweighs what is outside."""
    names = next((names for names in SPELLINGS.values() if key in names), (key,))
    for name in names:
        if name in other.used and (name in other.config or name in other.defaults):
            own = other.config[name] if name in other.config else other.defaults[name]
            return own is None or own == value
    return False


def _parts(wrapped: Wrapped) -> Iterator[Fields]:
    queue = [wrapped.outer] if wrapped.text is wrapped.outer else [wrapped.outer, wrapped.text]
    while queue:
        part = queue.pop()
        yield part
        queue.extend(inner for inner in part.parts() if inner is not wrapped.text)


def _tensors(model: Decoder, towers: tuple[Tower, ...], storage: Storage) -> Iterator[Tensor]:
    yield from _place(model.shared, None, "text", storage)
    for index, layer in enumerate(model.layers):
        yield from _place(layer.weights, index, "text", storage)
    for index, layer in enumerate(model.mtp):
        yield from _place(layer.weights, len(model.layers) + index, "mtp", storage, mtp=index)
    for tower in towers:
        yield from _place(tower.outside, None, tower.part, storage)
        for index, weights in enumerate(tower.layers):
            yield from _place(weights, index, tower.part, storage)


def _place(weights: Iterable[Weight], layer: int | None, part: str, storage: Storage, mtp: int = 0) -> Iterator[Tensor]:
    for role, shape, kind, routed, linear in weights:
        if part in ENCODERS:
            dtype = storage.tower_dtype(role, kind, layer, shape[-1] if linear else 0)
        else:
            dtype = storage.dtype(role, len(shape), kind, part, layer, mtp)
        yield Tensor(role=role, shape=shape, layer=layer, dtype=dtype, part=part, kind=kind, routed=routed)
