"""What it takes to run a model: `manage.py estimate (<slug> | --config PATH)`."""

from __future__ import annotations

import json
from argparse import BooleanOptionalAction
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import (
    ConfigError,
    DraftHead,
    Shape,
    is_draft_head,
    is_gguf,
    parse_beside,
    parse_config_text,
    read_config,
    read_draft_head,
    with_quantization,
    with_stored,
)
from calculator.architecture.gguf_file import MOST_HEADER_BYTES
from calculator.fields import gigabytes, shares, slots_or_auto
from calculator.figures import gib
from calculator.fit_words import capacity_texts
from calculator.hardware import Card, HardwareError, fit
from calculator.hardware.cards import MAX_CARDS
from calculator.hardware.errors import check_bounds
from calculator.knobs import KNOBS, Knob
from calculator.memory import (
    DEFAULT_CONTEXT_TOKENS,
    DEFAULT_ENGINE,
    ENGINES,
    Capacity,
    Estimate,
    Workload,
    WorkloadError,
    estimate,
)
from calculator.memory.engines import served
from calculator.pasted_draft import with_draft
from calculator.serialize import draft_head_json, estimate_json
from calculator.workload_form import QUESTIONS

LARGEST_FILE = 5_000_000  # a little above what the parser takes, so that it says the file is too large
GIB = 2**30
SPELLINGS = {attribute: f"--{name.replace('_', '-')}" for name, attribute in QUESTIONS.items()}


class Command(BaseCommand):
    help = "Compute the memory that a model takes. --config reads any Hugging Face config.json and needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", help="a model of the catalogue")
        parser.add_argument(
            "--config",
            metavar="PATH",
            help="a config.json or a GGUF file, of which the header is read; - reads standard input",
        )
        parser.add_argument("--quantization", metavar="PATH", help="hf_quant_config.json or an index beside it")
        parser.add_argument(
            "--draft-config", metavar="PATH", help="config.json of a draft head to load beside the model"
        )
        parser.add_argument("--engine", default=DEFAULT_ENGINE, help=", ".join(ENGINES))
        parser.add_argument("--weights", metavar="FORMAT", help="weight format; left out: the engine's default")
        parser.add_argument("--kv", metavar="FORMAT", help="format of the KV cache")
        parser.add_argument("--kv-v", metavar="FORMAT", help="format of the values, where it differs")
        parser.add_argument(
            "--context",
            type=int,
            metavar="N",
            help=f"tokens per sequence; default {DEFAULT_CONTEXT_TOKENS:,}, at most the model's maximum",
        )
        parser.add_argument("--sequences", type=int, default=1, metavar="N", help="sequences at once")
        parser.add_argument("--vision", action="store_true", help="with the image encoder")
        for knob in KNOBS.values():
            _add_knob(parser, knob)
        parser.add_argument("--card", metavar="SLUG", help="an accelerator of the catalogue, to lay the model out on")
        parser.add_argument("--cards", type=int, default=1, metavar="N", help="how many of it")
        parser.add_argument("--card2", metavar="SLUG", help="another kind of card in the same machine")
        parser.add_argument("--cards2", type=int, default=1, metavar="N", help="how many of that")
        parser.add_argument(
            "--available-gib", type=float, metavar="X", help="what a server has for its cache on each rank"
        )
        parser.add_argument(
            "--assume-standard", action="store_true", help="read an unknown model type by the usual keys"
        )
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES], help="of the text")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"] or translation.get_language()):
            self._answer(options)

    def _answer(self, options: dict[str, Any]) -> None:
        if (options["slug"] is None) == (options["config"] is None):
            raise CommandError(_("Name either a model of the catalogue or --config PATH."))
        name, shape = self._shape(options)
        if isinstance(shape, DraftHead):
            self.stdout.write(_told(name, shape, as_json=options["json"]))
            return
        try:
            answer = _asked(shape, _workload(shape, options), options)
        except WorkloadError as error:
            raise CommandError(f"{SPELLINGS[error.field]}: {labels.error_text(error)}") from None
        except HardwareError as error:
            raise CommandError(f"--cards: {labels.hardware_error_text(error)}") from None
        available_bytes = None if options["available_gib"] is None else int(options["available_gib"] * GIB)
        if options["json"]:
            found = estimate_json(name, shape, answer, available_bytes=available_bytes)
            self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(_table(name, answer, served(shape, answer, available_bytes))))

    def _shape(self, options: dict[str, Any]) -> tuple[str, Shape | DraftHead]:
        try:
            if options["config"] is not None:
                name, shape = _read_file(options["config"], options["quantization"], options["assume_standard"])
            else:
                name, shape = _read_catalogue(options["slug"], options["assume_standard"])
            if (path := options["draft_config"]) is not None and isinstance(shape, Shape):
                shape, guessed = with_draft(shape, parse_config_text(_bytes(path)), options["engine"])
                options["mtp"] = guessed if options["mtp"] is None else options["mtp"]
            return name, shape
        except ConfigError as error:
            raise CommandError("\n".join(labels.config_error_texts(error))) from None


def _read_file(path: str, beside: str | None, assume_standard: bool) -> tuple[str, Shape | DraftHead]:
    config = parse_config_text(_bytes(path))
    told = parse_beside(_bytes(beside)) if beside is not None else {}
    if told:
        config = with_quantization(config, told)
    if is_draft_head(config):
        return Path(path).name, read_draft_head(config)
    return Path(path).name, with_stored(read_config(config, assume_standard=assume_standard), told)


def _told(name: str, head: DraftHead, *, as_json: bool) -> str:
    """What a draft head is: without its target it takes no memory that could be computed."""
    if as_json:
        return json.dumps(draft_head_json(name, head), ensure_ascii=False, indent=2)
    rows = (
        _("%(label)s: %(value)s") % {"label": label, "value": value} for label, value in labels.draft_head_rows(head)
    )
    notes = (f"- {labels.assumption_text(key)}" for key in head.assumptions)
    return "\n".join([name, "", *rows, "", *notes, str(labels.NEXT)])


def _bytes(path: str) -> bytes:
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            start = file.read(LARGEST_FILE)
            return start + file.read(MOST_HEADER_BYTES - len(start)) if is_gguf(start) else start
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None


def _read_catalogue(slug: str, assume_standard: bool) -> tuple[str, Shape]:
    from catalog.models import LanguageModel  # --config must work where no database is

    config = LanguageModel.objects.filter(slug=slug).values_list("config", flat=True).first()
    if config is None:
        raise CommandError(_("There is no model “%(slug)s” in the catalogue.") % {"slug": slug})
    if not config:
        raise CommandError(_("“%(slug)s” has no published config.json.") % {"slug": slug})
    return slug, read_config(config, assume_standard=assume_standard)


def _workload(shape: Shape, options: dict[str, Any]) -> Workload:
    context_tokens = options["context"]
    if context_tokens is None:
        context_tokens = min(DEFAULT_CONTEXT_TOKENS, shape.context_tokens or DEFAULT_CONTEXT_TOKENS)
    return Workload(
        engine=options["engine"].casefold(),
        weight_format=options["weights"],
        kv_format=options["kv"],
        kv_v_format=options["kv_v"],
        context_tokens=context_tokens,
        sequences=options["sequences"],
        vision=options["vision"],
        **{knob.attribute: options[name] for name, knob in KNOBS.items() if options[name] is not None},
    )


def _add_knob(parser: CommandParser, knob: Knob) -> None:
    flags = [f"--{each.replace('_', '-')}" for each in (knob.name, *knob.aliases)]
    having = ", ".join(knob.engines())
    if knob.kind == "yes":
        parser.add_argument(*flags, dest=knob.name, action="store_true", default=None, help=having)
    elif knob.kind == "on_off":
        parser.add_argument(*flags, dest=knob.name, action=BooleanOptionalAction, default=None, help=having)
    else:
        kinds: dict[str, Callable[[str], Any]] = {"share": float, "slots": slots_or_auto, "shares": shares, "word": str}
        kinds["gigabytes"] = gigabytes
        kind = kinds.get(knob.kind, int)
        parser.add_argument(*flags, dest=knob.name, type=kind, metavar="N", help=having)


def _card(slug: str) -> Card:
    from catalog.bridge.cards import all_cards  # without --card the command works where no database is

    found = next((card for card in all_cards() if card.slug == slug), None)
    if found is None:
        raise CommandError(_("No card “%(slug)s” is in the catalogue.") % {"slug": slug})
    return found


def _asked(shape: Shape, workload: Workload, options: dict[str, Any]) -> Estimate:
    """The estimate, laid out on the cards that are named."""
    if options["card"] is None:
        if options["card2"]:
            raise CommandError("--card2: " + _("Choose the first kind of card, too."))
        return estimate(shape, workload)
    card = _card(options["card"])
    if options["card2"]:
        check_bounds("cards2", options["cards2"], 1, MAX_CARDS)
        card = replace(card, beside=((_card(options["card2"]), options["cards2"]),))
    placed = fit(shape, workload, card, options["cards"])
    if placed.estimate is None:
        raise CommandError("\n".join(labels.reason_text(reason) for reason in placed.reasons))
    return placed.estimate


def _table(name: str, answer: Estimate, pool: Capacity | None) -> list[str]:
    """The parts, largest unit GiB and exact bytes, with the formula of each below it."""
    workload = answer.workload
    kv_format = (
        workload.kv_format
        if workload.kv_v_format == workload.kv_format
        else f"{workload.kv_format} / {workload.kv_v_format}"
    )
    asked = f"{workload.weight_format}, KV {kv_format}, {workload.context_tokens:,} × {workload.sequences:,}"
    lines = [f"{name}: {labels.engine_name(workload.engine)}, {asked}", ""]
    for part in answer.parts:
        lines.append(_row(str(labels.PARTS[part.key]), part.bytes))
        lines += [f"    {labels.term_text(term)}" for term in part.terms]
    lines += [_row(_("Total"), answer.total_bytes), ""]
    if answer.per_card_bytes != answer.total_bytes:
        lines.append(_row(_("Largest card"), answer.per_card_bytes))
    lines.append(_row(_("In RAM"), sum(part.bytes for part in answer.host)))
    lines.append(_row(_("Weight file"), answer.file_bytes))
    if pool:
        lines += ["", *capacity_texts(pool, workload.context_tokens)]
    return [*lines, "", *(f"- {labels.note_text(note)}" for note in answer.notes)]


def _row(label: str, size: int) -> str:
    return _("%(label)s: %(gib)s GiB (%(bytes)s B)") % {"label": label, "gib": gib(size), "bytes": f"{size:,}"}
