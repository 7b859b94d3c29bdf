"""Names of engines, parts of memory, kinds of weights and kinds of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from calculator.architecture.shape import Mixer

LONGEST_QUOTED = 80  # of what a reader typed, when a message repeats it

ENGINES: Mapping[str, str] = {
    "llama.cpp": "llama.cpp",
    "vllm": "vLLM",
    "sglang": "SGLang",
    "transformers": "Transformers",
    "mlx": "MLX",
}

PROGRAMS: Mapping[str, str] = {
    "trl": "transformers + PEFT + TRL",
    "unsloth": "Unsloth",
    "fsdp": "FSDP2 (accelerate)",
    "deepspeed": "DeepSpeed ZeRO",
}
"""Programs that fine-tune."""


def engine_name(key: str) -> str:
    """An engine, or a program that fine-tunes, as it calls itself; one without an entry is spelled like its key."""
    return ENGINES.get(key) or PROGRAMS.get(key, key)


def engine_list(keys: Iterable[str]) -> str:
    """Several engines, joined the way the language joins them."""
    return _(", ").join(map(engine_name, keys))


PARTS: Mapping[str, Promise] = {
    "weights": gettext_lazy("Weights"),
    "kv_cache": gettext_lazy("KV cache"),
    "state": gettext_lazy("Recurrent state"),
    "compute": gettext_lazy("Compute buffer"),
    "overhead": gettext_lazy("Engine overhead"),
    "vision": gettext_lazy("Image encoder"),
}

TENSORS: Mapping[str, Promise] = {
    "embedding": pgettext_lazy("weights", "token embedding"),
    "output": pgettext_lazy("weights", "output layer"),
    "router": pgettext_lazy("weights", "routers"),
    "experts": pgettext_lazy("weights", "routed experts"),
    "shared_experts": pgettext_lazy("weights", "shared experts"),
    "feed_forward": pgettext_lazy("weights", "feed-forward layers"),
    "norm": pgettext_lazy("weights", "normalisation"),
    "mixer": pgettext_lazy("weights", "attention and other mixers"),
    "vision": pgettext_lazy("weights", "image encoder"),
}

MIXERS: Mapping[str, Promise] = {
    "FullAttention": pgettext_lazy("layers", "full"),
    "SlidingWindowAttention": pgettext_lazy("layers", "sliding window"),
    "ChunkedAttention": pgettext_lazy("layers", "chunked"),
    "CrossAttention": pgettext_lazy("layers", "cross-attention"),
    "IndexedAttention": pgettext_lazy("layers", "full, indexed"),
    "CompressedAttention": pgettext_lazy("layers", "compressed"),
    "SharedCompressedAttention": pgettext_lazy("layers", "compressed, shared"),
    "LatentAttention": pgettext_lazy("layers", "latent attention"),
    "WindowedLatentAttention": pgettext_lazy("layers", "latent attention in a window"),
    "LinearAttention": pgettext_lazy("layers", "linear attention"),
    "StateSpace": pgettext_lazy("layers", "Mamba"),
    "ShortConvolution": pgettext_lazy("layers", "short convolution"),
    "Recurrence": pgettext_lazy("layers", "recurrent"),
}


def mixer_text(mixer: Mixer) -> str:
    """The kind of a layer, as it is called in "36 chunked + 12 full"."""
    return str(MIXERS[type(mixer).__name__])


def written(values: Mapping[str, object]) -> dict[str, str]:
    """Values as they stand in a sentence: digits grouped, lists joined the way the language joins them."""
    return {name: _written(value) for name, value in values.items()}


def _written(value: object) -> str:
    if isinstance(value, tuple | list):
        return _(", ").join(map(str, value))
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= LONGEST_QUOTED else f"{text[:LONGEST_QUOTED]}…"
