"""A run as lines of `calculator/reference/measured.jsonl`: for whoever wants to give it as a reference case.

Nothing of the log goes in but figures and the fixed words around them. The model is named by the catalogue; of a pasted
config.json the keys that bear names or paths are left out. Builds are kept where they are numbers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from calculator.catalogue import Model
from calculator.check.compared import Compared
from calculator.check.workload import Settled
from calculator.logs import Reading

QUANTITIES = {
    "weights": "weights",
    "kv_cache": "kv_cache",
    "state": "state",
    "compute": "compute",
    "draft_kv_cache": "draft_cache",
    "draft_compute": "draft_compute",
    "file_bytes": "file_bytes",
    "activation": "activation",
    "non_torch": "workspaces",
    "cuda_graphs": "cuda_graphs",
    "kv_tokens": "kv_tokens",
    "total": "total",
}
"""Ours -> those of the reference cases."""

WORDS = re.compile(r"^[A-Za-z0-9 .,:;#|=+()/*\[\]\"_%^~-]{1,300}$")
BUILD = re.compile(r"^[bv]?\d{1,6}(?:\.\d{1,4}){0,3}(?:(?:rc|post|dev)\d{1,3})?$")
PRIVATE_KEY = re.compile(r"name|path|repo|url|author|secret|api_key|auth|auto_map", re.IGNORECASE)
PRIVATE_TEXT = re.compile(r"^[~/.]+/|^/|^[A-Za-z]:[\\/]|://|@|/(?:home|Users|mnt|data|root)/")
OF_THE_CARD = ("card_bytes", "capability")
"""Fields of a workload that the card answers."""


def case_lines(
    reading: Reading, model: Model, settled: Settled, rows: tuple[Compared, ...], config: Mapping[str, object] | None
) -> str:
    """One JSON object a line, for every quantity that was printed and is predicted: what is only shown, such as a draft
    model, a case would hold against another run."""
    return "".join(
        json.dumps(line, ensure_ascii=False) + "\n" for line in _lines(reading, model, settled, rows, config)
    )


def _lines(
    reading: Reading, model: Model, settled: Settled, rows: tuple[Compared, ...], config: Mapping[str, object] | None
) -> Iterator[dict[str, object]]:
    asked = {name: getattr(settled.workload, name) for name in OF_THE_CARD}
    workload = dict(settled.said) | {name: value for name, value in asked.items() if value is not None}
    pool = reading.of("pool")
    for row in rows:
        if row.printed is None or row.predicted is None or row.quantity not in QUANTITIES or row.place == "host":
            continue
        if row.quantity == "kv_tokens" and not pool:
            continue
        line: dict[str, object] = {
            "id": None,
            "engine": reading.engine,
            "quantity": QUANTITIES[row.quantity],
            "config": model.slug or None,
            "workload": workload,
            "truth": row.printed,
            "resolution": row.resolution,
            "model": model.name if model.slug else model.shape.model_type,
            "runtime": f"{reading.program} {reading.build}" if BUILD.match(reading.build) else reading.program,
            "quote": "; ".join(quote for quote in row.quotes if WORDS.match(quote)),
            "source": None,
        }
        if row.quantity == "kv_tokens":
            line |= {"resolution": 0, "pool_bytes": pool[0].value, "pool_resolution": pool[0].resolution}
        if config is not None:
            line["config_json"] = public(config)
        yield line


def public(config: Mapping[str, object]) -> dict[str, object]:
    """A config.json without what may name a person, a path or a host: the keys of that kind, and texts like them."""
    kept: dict[str, object] = {}
    for key, value in config.items():
        if PRIVATE_KEY.search(key):
            continue
        if isinstance(value, dict):
            kept[key] = public(value)
        elif not any(isinstance(each, str) and PRIVATE_TEXT.search(each) for each in _texts(value)):
            kept[key] = value
    return kept


def _texts(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
