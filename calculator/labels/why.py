"""Why a model takes that much memory, as sentences: what the weights weigh, and what each kind of layer remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import Shape
from calculator.architecture.shape import ChunkedAttention, SlidingWindowAttention, WindowedLatentAttention
from calculator.figures import billions, gib, grouped, plain
from calculator.memory import Estimate
from calculator.memory.remembered import remembered

SENTENCES: Mapping[str, Promise] = {
    "full": gettext_lazy("%(layers)s of %(all)s layers remember all %(tokens)s: %(amount)s GiB."),
    "sliding": gettext_lazy("%(layers)s of %(all)s layers see only the last %(window)s tokens: %(amount)s GiB."),
    "chunked": gettext_lazy(
        "%(layers)s of %(all)s layers see only their own block of %(window)s tokens: %(amount)s GiB."
    ),
    "latent": gettext_lazy(
        "%(layers)s of %(all)s layers remember all %(tokens)s, each as one small vector (latent attention): %(amount)s GiB."
    ),
    "indexer": gettext_lazy(
        "The indexers of %(layers)s layers, which choose the tokens to read, keep one key for each token: %(amount)s GiB."
    ),
    "compressed": gettext_lazy(
        "%(layers)s of %(all)s layers keep what is further back only as a summary of several tokens: %(amount)s GiB."
    ),
    "predicting": gettext_lazy("Layers of multi-token prediction add their own cache: %(amount)s GiB."),
    "cross": gettext_lazy("%(layers)s of %(all)s layers remember the image instead of the text: %(amount)s GiB."),
    "state": gettext_lazy(
        "%(layers)s of %(all)s layers keep a state of fixed size, however long the text is: %(amount)s GiB."
    ),
}


def why_texts(shape: Shape, answer: Estimate) -> Iterator[str]:
    """Sentences for an estimate: weights, then kind after kind of layers, then what counting them all in full says."""
    yield _("%(parameters)s parameters at %(bits)s bits each on average (%(format)s): %(amount)s GiB of weights.") % {
        "parameters": billions(answer.total_parameters),
        "bits": plain(round(8 * answer.file_bytes / answer.total_parameters, 1)),
        "format": answer.workload.weight_format,
        "amount": gib(answer.part("weights").bytes),
    }
    kinds = remembered(answer)
    for kind, held in kinds.items():
        yield str(SENTENCES[kind]) % {
            "layers": grouped(held.layers),
            "all": grouped(shape.num_layers),
            "tokens": _tokens(answer),
            "window": _window(shape, kind),
            "amount": gib(held.bytes),
        }
    held_bytes = sum(held.bytes for held in kinds.values())
    in_full = sum(held.in_full_bytes for held in kinds.values())
    if in_full > held_bytes:
        text = _("Counting all layers in full, as many calculators do, would say %(amount)s GiB.")
        yield text % {"amount": gib(in_full)}


def _tokens(answer: Estimate) -> str:
    words = {"tokens": grouped(answer.workload.context_tokens), "sequences": grouped(answer.workload.sequences)}
    if answer.workload.sequences > 1:
        return _("%(tokens)s tokens of each of %(sequences)s sequences") % words
    return _("%(tokens)s tokens") % words


def _window(shape: Shape, kind: str) -> str:
    """The window of layers of a kind; several where they differ."""
    return _(", ").join(map(grouped, _windows(shape, kind)))


@lru_cache(maxsize=1024)
def _windows(shape: Shape, kind: str) -> Sequence[int]:
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    if kind == "chunked":
        return sorted({mixer.chunk for mixer in mixers if isinstance(mixer, ChunkedAttention)})
    return sorted(
        {mixer.window for mixer in mixers if isinstance(mixer, SlidingWindowAttention | WindowedLatentAttention)}
    )
