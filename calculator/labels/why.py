"""Why a model takes that much memory, as sentences: what the weights weigh, and what each kind of layer remembers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from calculator.architecture import Shape
from calculator.architecture.shape import ChunkedAttention, SlidingWindowAttention
from calculator.figures import billions, gib, grouped, plain
from calculator.memory import Estimate, Term

KINDS: Mapping[str, str] = {
    **dict.fromkeys(("cells_full", "blocks_full", "pool_full", "cached_full", "grown_full"), "full"),
    **dict.fromkeys(("cells_sliding", "blocks_sliding", "pool_window", "cached_sliding", "grown_sliding"), "sliding"),
    **dict.fromkeys(("cells_chunked", "blocks_chunked", "cached_chunked", "grown_chunked"), "chunked"),
    **dict.fromkeys(("cells_latent", "cached_latent", "grown_latent"), "latent"),
    **dict.fromkeys(("state_f32", "state_snapshots", "blocks_state", "slots_state", "state", "kept_state"), "state"),
    "cells_indexer": "indexer",
    "cells_compressed": "compressed",
    "cells_predicting": "predicting",
    "cached_cross": "cross",
}
"""Key of a term of cache or state -> what its layers remember."""

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
WINDOWED = ("sliding", "chunked")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the layers of one kind hold; `in_full_bytes` if they remembered every token."""

    layers: int
    bytes: int
    in_full_bytes: int


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


def remembered(answer: Estimate) -> dict[str, Remembered]:
    """Layers and bytes of cache and state, by kind; what no layer remembers (an empty block) is left out."""
    terms = [term for key in ("kv_cache", "state") for term in answer.part(key).terms if term.key in KINDS]
    everything = max((_kept(term) for term in terms if KINDS[term.key] == "full"), default=_context(answer))
    found: dict[str, Remembered] = {}
    for kind in dict.fromkeys(KINDS[term.key] for term in terms):
        of_kind = [term for term in terms if KINDS[term.key] == kind]
        found[kind] = Remembered(
            sum(int(term.values.get("layers", 0)) for term in of_kind),
            sum(term.bytes for term in of_kind),
            _in_full(of_kind, everything) if kind in WINDOWED else sum(term.bytes for term in of_kind),
        )
    return found


def _in_full(terms: Iterable[Term], everything: int) -> int:
    return sum(term.bytes * max(everything, kept) // kept for term in terms if (kept := _kept(term)))


def _kept(term: Term) -> int:
    """Tokens that a layer keeps, in the engine's own steps."""
    values = term.values
    if "blocks" in values:
        return int(values["blocks"]) * int(values["block_tokens"])
    return int(values.get("cells") or values.get("tokens") or 0)


def _context(answer: Estimate) -> int:
    return answer.workload.context_tokens


def _tokens(answer: Estimate) -> str:
    words = {"tokens": grouped(_context(answer)), "sequences": grouped(answer.workload.sequences)}
    if answer.workload.sequences > 1:
        return _("%(tokens)s tokens of each of %(sequences)s sequences") % words
    return _("%(tokens)s tokens") % words


def _window(shape: Shape, kind: str) -> str:
    """The window of layers of a kind; several where they differ."""
    mixers = [mixer for layer in shape.layers for mixer in layer.mixers]
    if kind == "chunked":
        sizes = {mixer.chunk for mixer in mixers if isinstance(mixer, ChunkedAttention)}
    else:
        sizes = {mixer.window for mixer in mixers if isinstance(mixer, SlidingWindowAttention)}
    return _(", ").join(grouped(size) for size in sorted(sizes))
