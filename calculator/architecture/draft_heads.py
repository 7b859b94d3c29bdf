"""A draft head: what runs beside a target model, guesses its next tokens from its hidden states, and is no model of its
own. A config.json -> its kind, its tensors and what it caches.

Sources, all of vLLM 0.33.0 unless named: `models/llama_eagle.py`, `llama_eagle3.py`, `qwen3_eagle3.py`,
`qwen3_dflash.py`, `qwen3_dspark.py` (modules), `transformers_utils/configs/speculators/algos.py` and `configs/eagle.py`
(nested files), `v1/worker/gpu/spec_decode/eagle/utils.py` (what is shared with the target); of SGLang
`models/llama_eagle.py`, `llama_eagle3.py`, `qwen2_eagle.py`, `dflash.py`, `dspark.py`. Which tensors a file holds
follows from how it was trained: frozen embeddings are left out (EAGLE-3, DFlash) or kept (EAGLE-1, speculators,
DeepSpec's DSpark).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from calculator.architecture.drafts.blocks import dflash, dspark
from calculator.architecture.drafts.classes import is_draft_head, kind_of_head, names_target
from calculator.architecture.drafts.eagle import eagle, eagle3
from calculator.architecture.drafts.head import BUFFER_BYTES, KINDS, NESTED, DraftHead
from calculator.architecture.drafts.others import medusa, mtp
from calculator.architecture.errors import MOST_FAULTS, ConfigError, Fault
from calculator.architecture.fields import Fields
from calculator.architecture.heads import class_named
from calculator.architecture.holdable import check_sizes
from calculator.architecture.keys import may_bear_shape

__all__ = ["BUFFER_BYTES", "KINDS", "DraftHead", "is_draft_head", "read_draft_head"]


def read_draft_head(config: Mapping[str, object], *, kind: str = "") -> DraftHead:
    """Read the draft head that a parsed config.json describes.

    `kind` says what the file does not: the first of EAGLE-1 name their target's class and nothing else.

    Raises ConfigError: `faults` names every key at fault; `draft_head_unknown` a kind whose layers are not known here,
    `no_draft_head` a file of something else.
    """
    if not is_draft_head(config) and not (kind in _READERS and isinstance(config, Mapping) and names_target(config)):
        raise ConfigError("architectures", "no_draft_head")
    found = kind_of_head(config) or (kind if names_target(config) else "")
    if found not in _READERS:
        named = class_named(config) or config.get("speculators_model_type") or config.get("model_type")
        raise ConfigError("architectures", "draft_head_unknown", value=str(named)[:80])
    outer = Fields(config, _model_type(config))
    outer.ignore("speculators_model_type", "architectures")
    inner = _layers_of(outer)
    try:
        head = _READERS[found](outer, inner)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        if not outer.faults:
            raise
        raise ConfigError.collect(outer.faults) from None  # a faulty value was read as 1, which fits nothing
    _note_unread(outer)
    if outer.faults:
        raise ConfigError.collect(outer.faults)
    check_sizes(head.parameters, [mixer for mixers in head.mixers for mixer in mixers], _parts(outer))
    return head


def _model_type(config: Mapping[str, object]) -> str:
    stated = config.get("model_type")
    return stated[:80] if isinstance(stated, str) else "draft_head"


def _layers_of(outer: Fields) -> Fields:
    """The part that describes the head's layers: of its own in files of speculators and in the first of EAGLE."""
    for name in NESTED:
        if isinstance(outer.config.get(name), Mapping):
            part = outer.part(name, "llama")
            if part is not None:
                part.outer = outer
                part.nested = False  # sizes have to be said: its model type's defaults are those of a whole model
                return part
    return outer


def _parts(outer: Fields) -> Iterator[Fields]:
    yield outer
    for part in outer.parts():
        yield from _parts(part)


def _note_unread(outer: Fields) -> None:
    """Every key that may bear shape has to have been read."""
    for part in _parts(outer):
        for key, value in part.config.items():
            if len(part.faults) >= MOST_FAULTS:
                return
            if key not in part.used and may_bear_shape(key, value):
                part.faults.append(Fault(part.path + key, "unknown_key", {"model_type": part.model_type}))


_READERS: Mapping[str, Callable[[Fields, Fields], DraftHead]] = {
    "eagle": eagle,
    "eagle3": eagle3,
    "dflash": dflash,
    "dspark": dspark,
    "medusa": medusa,
    "mtp": mtp,
}
