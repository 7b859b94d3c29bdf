"""A draft head's config.json that is given beside a model: read, and put beside its target."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote_plus, urlencode

from calculator import labels
from calculator.architecture import ConfigError, DraftHead, Shape, parse_config_text, read_draft_head, with_draft_head
from calculator.catalogue import Model
from calculator.memory import default_workload
from calculator.memory.predicting import HEADS, takes_head

FIELD = "draft_config"
LONGEST = 7_000
"""Bytes of a head as an address writes it: it goes with that of an answer, of which a server reads some 8,000."""
GUESSED_TOKENS = 3
"""Of most recipes for EAGLE-3 (`--speculative-num-steps`). A head that writes blocks guesses one less than a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """`model` with the head beside it, and the query with as many guessed tokens as the head was made for, unless the
    reader said another number; the model as it is, with `faults`, where the head does not go with it."""

    model: Model
    query: Mapping[str, str]
    faults: tuple[str, ...] = ()


def drafted(model: Model, query: Mapping[str, str], *, changed: bool = False) -> Drafted:
    """The model and the query as they are where no head is given; `changed`: the reader has just given one or taken it
    away, and with it what it guessed."""
    text = query.get(FIELD, "")
    if changed:
        query = {**query, "mtp": ""}
    if not text.strip():
        return Drafted(model=model, query=query)
    engine = query.get("engine") or default_workload(model.shape, model.max_context_tokens).engine
    try:
        config = parse_config_text(text)
        if _is_long(config):
            raise ConfigError("", "head_too_long")
        shape, guessed = with_draft(model.shape, config, engine)
    except ConfigError as error:  # what the head would have guessed is no answer of the reader's
        unasked = query if model.shape.mtp_mixers else {**query, "mtp": ""}
        return Drafted(model=model, query=unasked, faults=tuple(labels.config_error_texts(error)))
    asked = {**query, FIELD: _short(config)}
    asked["mtp"] = query.get("mtp") or str(guessed)
    kind = shape.draft_head.kind if shape.draft_head else ""
    sources = tuple((hub, replace(source, draft_head=kind)) for hub, source in model.sources)
    return Drafted(model=replace(model, shape=shape, sources=sources), query=asked)


def with_draft(shape: Shape, config: Mapping[str, object], engine: str) -> tuple[Shape, int]:
    """`shape` with the head that `config` describes, and how many tokens it guesses. Raises `ConfigError` for a file
    that is no head or another model's, and for an engine that does not take it."""
    head = read_draft_head(config)
    beside = with_draft_head(shape, head)
    if not takes_head(engine.casefold(), head.kind):
        others = labels.engine_list([name for name in HEADS if takes_head(name, head.kind)])
        words = {"kind": labels.HEAD_KINDS[head.kind], "engine": labels.engine_name(engine.casefold())}
        raise ConfigError("", "head_not_counted", **words, others=others)
    return beside, head.block_tokens - 1 if head.block_tokens > 1 else GUESSED_TOKENS


def draft_query(head: DraftHead, config: Mapping[str, object]) -> str:
    """The query that gives a head to a model, in the first engine that takes it; without the head where it is too long
    for an address."""
    asked = {"engine": next(name for name in HEADS if takes_head(name, head.kind))}
    return urlencode(asked | ({} if _is_long(config) else {FIELD: _short(config)}))


def _is_long(config: Mapping[str, object]) -> bool:
    return len(quote_plus(_short(config))) > LONGEST


def _short(config: Mapping[str, object]) -> str:
    return json.dumps(config, ensure_ascii=False, separators=(",", ":"))
