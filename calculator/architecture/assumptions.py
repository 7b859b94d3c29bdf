"""What a file leaves to its reader: sizes that come from a model type's defaults, an encoder that is not described."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from calculator.architecture.families import FAMILIES
from calculator.architecture.fields import Fields, transformers_defaults
from calculator.architecture.heads import class_named, has_language_head
from calculator.architecture.wrappers import Wrapped

MOST_NAMED = 12
# Three colours, and "in every layer": what no file needs to say.
_NEUTRAL = re.compile(r"(num|in)_channels$|block_multiple_of$")
_EVERY = re.compile(r"(_step|_interval|_freq)$")
STATES_ITS_WIDTH = frozenset({"qwen3_5_moe_text", "qwen3_5_text"})
"""Model types whose files say how wide a recurrent state is; engines take 16 bits where one does not."""

HEADS_NAME = ("LlamaForCausalLM", "Qwen2ForCausalLM")
"""Classes that the first files of EAGLE-1 name: a head of one layer that says nothing of what it is."""

_APART = frozenset({"chatglm", "grok-1", "mixformer-sequential", "molmo", "phi-msft", "qwen", "solar_open2"})
"""Types of own code whose files say nothing of tying, and whose published checkpoints hold an output layer apart."""


def of_file(wrapped: Wrapped, config: Mapping[str, object]) -> tuple[str, ...]:
    """Identifiers, each with what it is about behind a colon."""
    return tuple(_of_file(wrapped, config))


def _of_file(wrapped: Wrapped, config: Mapping[str, object]) -> Iterator[str]:
    taken = {key: value for key, value in wrapped.outer.taken.items() if not _is_neutral(key, value)}
    if _leaves_tying_open(wrapped):
        taken[wrapped.text.key("tied")] = False
    encoders = [key for key, value in taken.items() if isinstance(value, str)]
    for key in encoders:
        yield f"encoder_not_described:{key}"
    sizes = [f"{key} = {value}" for key, value in taken.items() if key not in encoders]
    if sizes:
        rest = " …" if len(sizes) > MOST_NAMED else ""
        yield f"default_taken:{', '.join(sizes[:MOST_NAMED])}{rest}"
    for key, value in wrapped.outer.left_open.items():
        yield f"default_not_taken:{key} = {value}"
    for said in wrapped.outer.twice.values():
        yield f"stated_twice:{said}"
    text = wrapped.text
    if text.model_type in STATES_ITS_WIDTH and not _says_width(text):
        yield f"state_width_not_said:{text.path}mamba_ssm_dtype"
    if text.config.get("num_hidden_layers") == 1 and class_named(config) in HEADS_NAME:
        yield f"one_layer:{class_named(config)}"
    if not has_language_head(config):
        yield f"no_language_head:{(class_named(config) or '')[:80]}"


def _is_neutral(key: str, value: object) -> bool:
    return bool(_NEUTRAL.search(key) or (value == 1 and _EVERY.search(key)))


def _leaves_tying_open(wrapped: Wrapped) -> bool:
    """Code that lies beside the weights decides it then, and is not here to be asked: transformers ties before
    version 5 unless a class says otherwise. A type that is read by the standard keys is Llama's in this, too."""
    text = wrapped.text
    known = text.model_type in transformers_defaults() or text.model_type in _APART
    return not (known or text is not wrapped.outer or text.has("tied")) and text.model_type in FAMILIES


def _says_width(text: Fields) -> bool:
    return any(text.config.get(key) is not None for key in ("mamba_ssm_dtype", "mamba_ssm_cache_dtype"))
