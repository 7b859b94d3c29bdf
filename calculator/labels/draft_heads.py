"""A draft head in words: what it is, what it takes, and what its target has to be."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from calculator.architecture import DraftHead
from calculator.architecture.shape import SlidingWindowAttention
from calculator.figures import billions, gb, grouped
from calculator.filters import space
from calculator.labels.names import TENSORS
from calculator.memory.draft_heads import cache_bytes_per_token, file_bytes

HEAD_KINDS: Mapping[str, str] = {
    "eagle": "EAGLE-1",
    "eagle3": "EAGLE-3",
    "dflash": "DFlash",
    "dspark": "DSpark",
    "medusa": "Medusa",
    "mtp": "MTP",
}
BORROWED: Mapping[str, Promise] = {"token_embd": TENSORS["embedding"], "output": TENSORS["output"]}
NEXT: Promise = gettext_lazy(
    "It runs beside its target model and writes nothing by itself: choose the target, then give this file as its draft."
)


def draft_head_rows(head: DraftHead) -> tuple[tuple[str, str], ...]:
    """What is known of a draft head, as (label, value) in the active language."""
    size = file_bytes(head)
    rows = [
        (_("Kind"), _kind(head)),
        (_("Parameters"), _with(grouped(head.parameters), billions(head.parameters))),
        (_("File"), _with(f"{gb(size)} GB", _(", ").join((f"{grouped(size)} B", head.native_format)))),
        (_("KV cache per token"), _cache(head)),
        (_("Hidden size of the target"), grouped(head.target_hidden_size)),
        (_("Vocabulary of the target"), _vocabulary(head)),
        (_("Layers of the target"), grouped(head.target_layers) or _("not stated")),
        (_("Hidden states it reads"), _features(head)),
    ]
    if head.borrows:
        rows.append((_("Taken from the target"), _(", ").join(str(BORROWED[role]) for role in head.borrows)))
    if head.copies:
        repeated = _("%(names)s (%(amount)s GB of the file; vLLM keeps one of two equal tables)")
        names = _(", ").join(str(BORROWED[role]) for role in head.copies)
        rows.append(
            (_("Repeats the target's"), repeated % {"names": names, "amount": gb(file_bytes(head, *head.copies))})
        )
    if head.block_tokens:
        rows.append((_("Tokens of a block"), grouped(head.block_tokens)))
    return tuple(rows)


def draft_head_text(head: DraftHead) -> str:
    """The same in two sentences, for an answer that has one line."""
    told = _(
        "“%(name)s” is a draft head (%(kind)s) of %(parameters)s parameters (%(file)s GB), for a target of hidden size %(hidden)s and a vocabulary of %(vocabulary)s; it caches %(cache)s bytes per token."
    ) % {
        "name": head.architecture or head.model_type,
        "kind": HEAD_KINDS[head.kind],
        "parameters": billions(head.parameters),
        "file": gb(file_bytes(head)),
        "hidden": grouped(head.target_hidden_size),
        "vocabulary": grouped(head.vocab_size),
        "cache": grouped(cache_bytes_per_token(head)),
    }
    return space().join([told, str(NEXT)])


def _kind(head: DraftHead) -> str:
    kind = HEAD_KINDS[head.kind]
    return _with(kind, head.architecture) if head.architecture else kind


def _with(told: str, detail: str) -> str:
    return _("%(told)s (%(detail)s)") % {"told": told, "detail": detail}


def _cache(head: DraftHead) -> str:
    size = cache_bytes_per_token(head)
    if not size:
        return _("none: it attends to nothing")
    text = ngettext(
        "%(bytes)s bytes in 16 bits, in %(layers)s layer",
        "%(bytes)s bytes in 16 bits, in %(layers)s layers",
        head.layers,
    ) % {"bytes": grouped(size), "layers": grouped(head.layers)}
    windows = {m.window for mixers in head.mixers for m in mixers if isinstance(m, SlidingWindowAttention)}
    if not windows:
        return text
    in_window = _("%(cache)s, in part for the last %(window)s tokens alone")
    return in_window % {"cache": text, "window": grouped(max(windows))}


def _vocabulary(head: DraftHead) -> str:
    if head.draft_vocab_size == head.vocab_size:
        return grouped(head.vocab_size)
    both = {"all": grouped(head.vocab_size), "some": grouped(head.draft_vocab_size)}
    return _("%(all)s, of which it can guess %(some)s") % both


def _features(head: DraftHead) -> str:
    return ngettext("of %(number)s layer", "of %(number)s layers", head.features) % {"number": grouped(head.features)}
