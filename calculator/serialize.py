"""An estimate as the JSON that the command and the API share. The keys are a contract with other programs: they do
not move.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from calculator import labels
from calculator.architecture import DraftHead, Shape
from calculator.hardware import Fit, Speed, engine_named
from calculator.knobs import KNOBS
from calculator.memory import Estimate, Part, Term, Workload
from calculator.memory.draft_heads import cache_bytes_per_token, file_bytes
from calculator.memory.engines import served
from calculator.workload_form import WorkloadForm

PARTS = ("weights", "kv_cache", "state", "compute", "overhead", "vision")
HOST_PARTS = ("weights", "kv_cache", "compute")


def answer_json(model: str, shape: Shape, form: WorkloadForm) -> dict[str, object]:
    """What a valid form asked: on its cards where it names any."""
    placed = form.placed.estimate if form.placed else None
    return estimate_json(model, shape, placed or form.estimate)


def draft_head_json(name: str, head: DraftHead) -> dict[str, object]:
    """What a draft head is and takes by itself; `cache_bytes_per_token` in 16 bits."""
    return {
        "draft_head": name,
        "kind": head.kind,
        "architecture": head.architecture,
        "parameters": head.parameters,
        "file_bytes": file_bytes(head),
        "weights": head.native_format,
        "layers": head.layers,
        "cache_bytes_per_token": cache_bytes_per_token(head),
        "hidden_size": head.hidden_size,
        "draft_vocab_size": head.draft_vocab_size,
        "target": {
            "hidden_size": head.target_hidden_size,
            "vocab_size": head.vocab_size,
            "layers": head.target_layers,
            "layers_read": head.features,
        },
        "borrows": list(head.borrows),
        "copies": list(head.copies),
        "assumptions": [labels.assumption_text(key) for key in head.assumptions],
    }


def estimate_json(
    model: str, shape: Shape, answer: Estimate, *, available_bytes: int | None = None, explain: bool = False
) -> dict[str, object]:
    """Bytes as integers. `model` is a slug or the name of the file asked about. `explain` adds the formula of every
    part; `available_bytes` is what a server has for its cache, where that is known from elsewhere.

    `settings` are the engine's own, as said or by default; `cards` holds the parts of each card. `kv` is the format of
    the keys, and of the values too unless `kv_v` is there. Notes are sentences in the active language.
    """
    workload = answer.workload
    result: dict[str, object] = {
        "model": model,
        "engine": workload.engine,
        "weights": workload.weight_format,
        "kv": workload.kv_format,
        **({"kv_v": workload.kv_v_format} if workload.kv_v_format not in (None, workload.kv_format) else {}),
        "context": workload.context_tokens,
        "sequences": workload.sequences,
        "total_parameters": answer.total_parameters,
        "active_parameters": answer.active_parameters,
        "file_bytes": answer.file_bytes,
        "parts": {f"{key}_bytes": answer.part(key).bytes for key in PARTS},
        "total_bytes": answer.total_bytes,
        "host": _host(answer.host),
        "notes": [labels.note_text(note) for note in answer.notes],
    }
    result["settings"] = _settings(answer.workload)
    ranges = answer.overhead_ranges or (answer.overhead_range_bytes,) * len(answer.by_card)
    result["cards"] = [_card(card, own) for card, own in zip(answer.by_card, ranges, strict=True)]
    if pool := served(shape, answer, available_bytes):
        result["capacity"] = {key: value for key, value in asdict(pool).items() if value is not None}
    if explain:
        result["terms"] = {part.key: [_term(term) for term in part.terms] for part in answer.parts}
    return result


def _settings(workload: Workload) -> dict[str, object]:
    found = engine_named(workload.engine).settings(workload)
    return {name: knob.written(found[knob.attribute]) for name, knob in KNOBS.items() if knob.attribute in found}


def _card(card: Mapping[str, int], overhead_range: tuple[int, int] | None) -> dict[str, object]:
    sizes: dict[str, object] = {f"{key}_bytes": card.get(key, 0) for key in PARTS}
    return sizes | ({"overhead_range_bytes": list(overhead_range)} if overhead_range else {})


def _host(parts: tuple[Part, ...]) -> dict[str, int]:
    """What stays in RAM; an encoder only where it does."""
    found = {f"{key}_bytes": _part_bytes(parts, key) for key in HOST_PARTS}
    encoder = _part_bytes(parts, "vision")
    return found | ({"vision_bytes": encoder} if encoder else {})


def _part_bytes(parts: Iterable[Part], key: str) -> int:
    return sum(part.bytes for part in parts if part.key == key)


def _term(term: Term) -> dict[str, object]:
    return {"key": term.key, "values": dict(term.values), "bytes": term.bytes, "text": labels.term_text(term)}


def fit_json(answer: Fit) -> dict[str, object]:
    """A fit: bytes per card and over all cards; null where the model cannot be split that way."""
    beside = answer.card.beside
    return {
        "card": answer.card.slug,
        "cards": answer.count,
        **({"beside": [{"card": card.slug, "cards": number} for card, number in beside]} if beside else {}),
        "state": answer.state,
        "weights": answer.workload.weight_format,
        "context": answer.workload.context_tokens,
        "tensor_parallel": answer.workload.tensor_parallel,
        "pipeline_parallel": answer.workload.pipeline_parallel,
        "usable_bytes": answer.fullest.usable_bytes,
        "per_card_bytes": answer.per_card_bytes,
        "needed_bytes": answer.needed_bytes,
        "spare_bytes": answer.spare_bytes,
        "headroom_bytes": answer.headroom_bytes,
        "range_bytes": None if answer.least_bytes is None else [answer.least_bytes, answer.most_bytes],
        "reasons": [
            {"key": reason.key, "blocks": reason.blocks, "text": labels.reason_text(reason)}
            for reason in answer.reasons
        ],
    }


def speed_json(answer: Speed) -> dict[str, object]:
    """Upper bounds, with the assumptions as sentences; null where the card's figures are not known."""
    return {
        "estimate": True,
        "decode_tokens_per_s": rounded(answer.decode_tokens_per_s),
        "sequence_tokens_per_s": rounded(answer.sequence_tokens_per_s),
        "prefill_tokens_per_s": rounded(answer.prefill_tokens_per_s),
        "first_token_s": rounded(answer.first_token_s),
        "bound": answer.bound,
        "notes": [labels.hardware_note_text(note) for note in answer.notes],
    }


def rounded(value: float | None) -> float | None:
    """Three significant digits: more would claim what a bound does not know."""
    return None if value is None else float(f"{value:.3g}")
