"""Records -> files as a person would write them: keys in a fixed order, unknown values left out, digits grouped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from catalog.source.catalogue import SourceCatalogue
from catalog.source.records import ModelRecord, Record, ScoreRecord

LINE = 120
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
GROUPS = ("licence", "total_parameters", "context_tokens", "attention", "hf_repo", "summary_en")  # a blank line above


def write(catalogue: SourceCatalogue, directory: Path) -> None:
    """Fills an empty folder with files that `catalog.source.load` reads back to the same records."""
    for organization in catalogue.organizations:
        families = [family for family in catalogue.families if family.organization == organization.slug]
        text = table(organization, skip={"slug"}) + tables("family", families, skip={"organization"})
        _save(directory / "organizations" / f"{organization.slug}.toml", text)
    _save(directory / "licences.toml", tables("licence", catalogue.licences))
    _save(directory / "benchmarks.toml", tables("benchmark", catalogue.benchmarks))
    for vendor in {accelerator.vendor for accelerator in catalogue.accelerators}:
        cards = [accelerator for accelerator in catalogue.accelerators if accelerator.vendor == vendor]
        _save(directory / "accelerators" / f"{vendor}.toml", tables("accelerator", cards, skip={"vendor"}))
    scores: dict[str, list[ScoreRecord]] = {}
    for score in catalogue.scores:
        scores.setdefault(score.model, []).append(score)
    for model in catalogue.models:
        write_model(model, scores.get(model.slug, []), directory)
    aliases = "".join(f"{_quoted(name)} = {_text(slug)}\n" for name, slug in sorted(catalogue.aliases.items()))
    _save(directory / "score_aliases.toml", f"[aliases]\n{aliases}")
    for name, others in (("unmatched_scores.toml", catalogue.unmatched), ("closed_scores.toml", catalogue.anchors)):
        _save(directory / name, tables("score", _sorted(others)))


def _sorted(scores: Iterable[ScoreRecord]) -> list[ScoreRecord]:
    return sorted(scores, key=lambda score: score.key)


def write_model(model: ModelRecord, scores: Iterable[ScoreRecord], directory: Path) -> None:
    """A card, and what lies beside it, in a folder that `write` fills, too."""
    folder = directory / "models" / model.organization / model.slug
    card = table(model, skip={"slug", "organization", "config", "sources"}, groups=GROUPS)
    _save(folder / "card.toml", card + tables("source", model.sources))
    if model.config is not None:
        _save(folder / "config.json", json.dumps(model.config, indent=2, ensure_ascii=False) + "\n")
    if listed := _sorted(scores):
        _save(folder / "scores.toml", tables("score", listed, skip={"model"}))


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.lstrip("\n"), encoding="utf-8")


def tables(name: str, records: Iterable[Record], skip: set[str] | None = None) -> str:
    return "".join(f"\n[[{name}]]\n{table(record, skip=skip or set())}" for record in records)


def table(record: Record, *, skip: set[str], groups: Sequence[str] = ()) -> str:
    """The values that differ from what a missing key means."""
    lines: list[str] = []
    group = 0
    for key, field in type(record).model_fields.items():
        if key in groups:
            group = groups.index(key) + 1
        value = getattr(record, key)
        if key in skip or (not field.is_required() and value == field.default):
            continue
        if group:
            lines.append("")
            group = 0
        lines.append(f"{key} = {_value(value)}")
    return "".join(f"{line}\n" for line in lines)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict):
        parts = ", ".join(f"{_key(key)} = {_value(part)}" for key, part in value.items())
        return f"{{ {parts} }}" if parts else "{}"
    line = "[" + ", ".join(_value(part) for part in value) + "]"
    return line if len(line) <= LINE else "[\n" + "".join(f"    {_value(part)},\n" for part in value) + "]"


def _key(name: str) -> str:
    return name if BARE_KEY.fullmatch(name) else _quoted(name)


def _text(value: str) -> str:
    """A basic string, over several lines where the text has them."""
    return '"""\n' + "\n".join(map(_escaped, value.split("\n"))) + '"""' if "\n" in value else _quoted(value)


def _quoted(value: str) -> str:
    return f'"{_escaped(value)}"'


def _escaped(value: str) -> str:
    """JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False)[1:-1].replace("\x7f", "\\u007f")
