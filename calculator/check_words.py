"""A checked log as the page and the command show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from calculator import labels
from calculator.catalogue import Model
from calculator.check import Checked, Compared
from calculator.check.comparison import ranks
from calculator.figures import billions, grouped, percent
from calculator.fit_words import card_label
from calculator.fix_words import FixView, fix_view
from calculator.hardware import Fix
from calculator.labels.check import PLACES, PROGRAMS, QUANTITIES, REASONS, SETTINGS, setting_text
from calculator.logs import Reading
from calculator.logs.terms import OF_SECOND

BAR_WIDTH = 1000
BAR_PARTS = ("weights", "kv_cache", "context", "state", "compute", "overhead", *OF_SECOND)
NEAR = 0.05
WEIGHED = frozenset({"util"})
"""Settings without a question in the memory model that the comparison itself takes into account."""

UNITS = {"vllm": ("GiB", 2**30), "sglang": ("GiB", 2**30)}
OWN_UNIT = ("MiB", 2**20)
SHAPE = ("num_layers", "hidden_size", "num_heads", "num_kv_heads", "num_experts", "vocab_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """`state` is `exact`, `near`, `off` or empty where there is nothing to compare."""

    key: str
    label: str
    place: str
    predicted: str
    printed: str
    error: str
    state: str
    quotes: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    key: str
    x: int
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Two stacked bars on one scale, of the parts that are known on both sides; sums in bytes. `error` is nought where
    every part is exact.
    """

    predicted: tuple[Segment, ...]
    printed: tuple[Segment, ...]
    predicted_bytes: int
    printed_bytes: int
    each_card: bool
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    label: str
    value: str
    asked: bool


def program_text(reading: Reading) -> str:
    """The program and its build, as it calls itself."""
    return f"{PROGRAMS[reading.program]} {reading.build}".rstrip()


def row_views(reading: Reading, rows: tuple[Compared, ...]) -> tuple[RowView, ...]:
    return tuple(_row_view(reading, row) for row in rows)


def _row_view(reading: Reading, row: Compared) -> RowView:
    error = row.error
    state = "" if error is None else "exact" if error == 0 else "near" if abs(error) <= NEAR else "off"
    return RowView(
        key=OF_SECOND.get(row.quantity, row.quantity),
        label=str(QUANTITIES[row.quantity]),
        place=str(PLACES[row.place]),
        predicted=amount_text(reading, row, row.predicted),
        printed=amount_text(reading, row, row.printed),
        error="" if error is None else percent(error, 1 if abs(error) >= 0.001 else 3),
        state=state,
        quotes=tuple(dict.fromkeys(row.quotes)),
        reasons=tuple(str(REASONS[reason]) for reason in row.reasons),
    )


def amount_text(reading: Reading, row: Compared, value: int | None) -> str:
    """In the unit that the engine prints, to its last digit, so that the eye can compare."""
    if value is None:
        return ""
    if row.quantity == "kv_tokens":
        return grouped(value)
    unit, size = UNITS.get(reading.engine, OWN_UNIT) if row.quantity != "total" else OWN_UNIT
    if row.quantity == "file_bytes":
        unit, size = "GiB", 2**30
    places = 0 if row.quantity == "total" else 2
    return f"{(Decimal(value) / size).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,} {unit}"


def bars_of(rows: tuple[Compared, ...]) -> Bars | None:
    """The parts that both sides know, drawn; None where that is nothing."""
    both = [
        row
        for row in rows
        if row.quantity in BAR_PARTS and row.place != "host" and row.predicted is not None and row.printed is not None
    ]
    predicted, printed = sum(row.predicted or 0 for row in both), sum(row.printed or 0 for row in both)
    if not predicted or not printed:
        return None
    whole = max(predicted, printed)
    return Bars(
        predicted=tuple(_segments(((row.quantity, row.predicted or 0) for row in both), whole)),
        printed=tuple(_segments(((row.quantity, row.printed or 0) for row in both), whole)),
        predicted_bytes=predicted,
        printed_bytes=printed,
        each_card=all(row.place == "each" for row in both),
        error=(predicted - printed) / printed if any(row.error for row in both) else 0.0,
    )


def _segments(parts: Iterator[tuple[str, int]], whole: int) -> Iterator[Segment]:
    at = 0
    for key, size in parts:
        start, end = BAR_WIDTH * at // whole, BAR_WIDTH * (at + size) // whole
        at += size
        if size:
            key = "kv_cache" if key == "context" else OF_SECOND.get(key, key)
            yield Segment(key=key, x=start, width=max(end - start, 2))


def setting_views(checked: Checked | None, reading: Reading) -> tuple[SettingView, ...]:
    """What was read, those first that went into the question."""
    settings = {**reading.settings, **(checked.settled.said if checked else {})}
    asked = {*(checked.settled.said if checked else ()), *WEIGHED}
    views = [
        SettingView(label=str(SETTINGS[name]), value=setting_text(value), asked=name in asked)
        for name, value in settings.items()
        if name in SETTINGS
    ]
    return tuple(sorted(views, key=lambda view: not view.asked))


def shape_text(reading: Reading) -> str:
    """The shape as printed, in short."""
    shown = [f"{name} {reading.shown[name]:,}" for name in SHAPE if name in reading.shown]
    total = reading.shown.get("total_parameters")
    return ", ".join([*([billions(total)] if total else []), *shown])


def fix_views(checked: Checked, model: Model) -> tuple[FixView, ...]:
    mending = checked.mending
    if mending is None:
        return ()
    return tuple(fix_view(fix, _query(fix, model)) for fix in mending.fixes)


def _query(fix: Fix, model: Model) -> str:
    """The calculator's page in this state; empty for what it cannot show."""
    workload = fix.workload
    if not model.slug or not fix.fit.card.slug:
        return ""
    query = {
        "model": model.slug,
        "engine": workload.engine,
        "weights": workload.weight_format,
        "kv": workload.kv_format,
        "context": workload.context_tokens,
        "sequences": workload.sequences,
        "card": fix.fit.card.slug,
        "cards": fix.fit.count,
    }
    for other, count in fix.fit.card.beside:
        query |= {"card2": other.slug, "cards2": count}
    if workload.mtp:
        query["mtp"] = workload.mtp
    if workload.gpu_layers is not None:
        query["ngl"] = workload.gpu_layers
    if workload.cpu_expert_layers:
        query["cpu_moe"] = workload.cpu_expert_layers
    if workload.kv_v_format != workload.kv_format:
        query["kv_v"] = workload.kv_v_format
    return urlencode(query)


def hardware_text(reading: Reading, checked: Checked | None) -> str:
    """The cards that ran it; as the log names them where nothing was compared."""
    if checked is None:
        named = Counter(card.name for card in reading.cards if card.name)
        return _(", ").join(name if count == 1 else f"{count} × {name}" for name, count in named.items())
    hardware = checked.hardware
    if hardware is None:
        count = ranks(checked.settled.workload)
        return str(count) if count > 1 else ""
    return card_label(hardware.card, hardware.count)


def notes_of(checked: Checked) -> tuple[str, ...]:
    """What the rules assume: the build they were read in."""
    return tuple(labels.note_text(note) for note in checked.settled.estimate.notes)
