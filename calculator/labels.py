"""Words for the keys that the pure packages return. Every key of `calculator.memory.terms` has its sentence here."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.memory import WorkloadError

ENGINES: Mapping[str, str] = {"llama.cpp": "llama.cpp", "vllm": "vLLM", "transformers": "Transformers"}

PARTS: Mapping[str, Promise] = {
    "weights": gettext_lazy("Weights"),
    "kv_cache": gettext_lazy("KV cache"),
    "state": gettext_lazy("Recurrent state"),
    "compute": gettext_lazy("Compute buffer"),
    "overhead": gettext_lazy("Engine overhead"),
    "vision": gettext_lazy("Image encoder"),
}

ERRORS: Mapping[str, Promise] = {
    "unknown": gettext_lazy("“%(value)s” is not known. Known: %(offered)s."),
    "not_offered": gettext_lazy("“%(value)s” is not offered for this model by this engine. Offered: %(offered)s."),
    "out_of_bounds": gettext_lazy("%(value)s is out of bounds: from %(least)s to %(most)s."),
}


def error_text(error: WorkloadError) -> str:
    """The sentence for an error, in the active language."""
    return str(ERRORS[error.key]) % written(error.values)


def written(values: Mapping[str, object]) -> dict[str, str]:
    """Values as they stand in a sentence: digits grouped, lists joined the way the language joins them."""
    return {name: _written(value) for name, value in values.items()}


def _written(value: object) -> str:
    if isinstance(value, tuple | list):
        return _(", ").join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


MIXERS: Mapping[str, Promise] = {
    "FullAttention": pgettext_lazy("layers", "full"),
    "SlidingWindowAttention": pgettext_lazy("layers", "sliding window"),
    "ChunkedAttention": pgettext_lazy("layers", "chunked"),
    "CrossAttention": pgettext_lazy("layers", "cross-attention"),
    "LatentAttention": pgettext_lazy("layers", "latent attention"),
    "LinearAttention": pgettext_lazy("layers", "linear attention"),
    "StateSpace": pgettext_lazy("layers", "Mamba"),
    "ShortConvolution": pgettext_lazy("layers", "short convolution"),
}


def mixer_text(mixer: Mixer) -> str:
    """The kind of a layer, as it is called in "36 chunked + 12 full"."""
    return str(MIXERS[type(mixer).__name__])
