"""A log beside the memory model: `manage.py check_log FILE`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from django.utils.translation import gettext as _

from calculator.catalogue import Catalogue, configured_catalogue
from calculator.check.comparison import printed_rows
from calculator.check_answer import Answer, Question, answer
from calculator.check_form import STATED, decoded
from calculator.check_words import fix_views, hardware_text, notes_of, program_text, row_views
from calculator.hardware import Card
from calculator.labels.check import failure_texts
from calculator.logs import MAX_BYTES, Reading
from calculator.memory import ENGINES


class Command(BaseCommand):
    help = "Compare what an engine printed with what is predicted. With --config no database is needed."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", help="a log of llama.cpp, Ollama, vLLM or SGLang, or nvidia-smi; - reads standard input"
        )
        parser.add_argument("--model", default="", metavar="SLUG", help="the model, where the log does not name it")
        parser.add_argument("--config", metavar="PATH", help="the model's config.json, in place of the catalogue")
        parser.add_argument(
            "--assume-standard", action="store_true", help="read an unknown model type by the usual keys"
        )
        parser.add_argument(
            "--engine", default="", choices=["", *ENGINES], help="the engine, where the log does not say"
        )
        parser.add_argument("--weights", metavar="FORMAT")
        parser.add_argument("--kv", metavar="FORMAT")
        parser.add_argument("--context", type=int, metavar="N", help="tokens per sequence")
        parser.add_argument("--sequences", type=int, metavar="N")
        parser.add_argument("--card", metavar="SLUG", help="a card of the catalogue")
        parser.add_argument("--cards", type=int, metavar="N")
        parser.add_argument("--case", action="store_true", help="print the reference case that the log makes")
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES], help="of the text")

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"] or translation.get_language()):
            self._answer(options)

    def _answer(self, options: dict[str, Any]) -> None:
        catalogue = configured_catalogue() if options["config"] is None or options["card"] else None
        given = {setting: options[name] for name, setting in STATED.items() if options[name] is not None}
        question = Question(
            log=decoded(_read(options["file"])),
            engine=options["engine"],
            model=options["model"],
            config=decoded(_read(options["config"])) if options["config"] else "",
            assume_standard=options["assume_standard"],
            card=_card(catalogue, options["card"]),
            cards=options["cards"],
            stated=given,
        )
        found = answer(question, catalogue)
        reading = found.reading
        if reading is None or found.faults:
            raise CommandError("\n".join(found.faults))
        if options["case"]:
            self.stdout.write(found.case, ending="")
        elif options["json"]:
            self.stdout.write(json.dumps(_json(found, reading), ensure_ascii=False, indent=2))
        else:
            self.stdout.write("\n".join(_text(found, reading)))


def _read(path: str) -> bytes:
    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as file:
            return file.read(MAX_BYTES * 2)
    except OSError as error:
        raise CommandError(f"{Path(path).name}: {error.strerror}") from None


def _card(catalogue: Catalogue | None, slug: str | None) -> Card | None:
    if not slug or catalogue is None:
        return None
    card = next((card for card in catalogue.cards() if card.slug == slug), None)
    if card is None:
        raise CommandError(_("No card “%(slug)s” is in the catalogue.") % {"slug": slug})
    return card


def _json(found: Answer, reading: Reading) -> dict[str, object]:
    checked = found.checked
    result: dict[str, object] = {
        "program": reading.program,
        "engine": reading.engine,
        "build": reading.build,
        "model": found.model and (found.model.slug or found.model.name),
        "told_by": found.told_by,
        "names": list(reading.names),
        "settings": dict(reading.settings),
        "failure": None,
        "missing": found.missing,
    }
    if failure := reading.failure:
        result["failure"] = {"key": failure.key, "part": failure.part, "bytes": failure.bytes, "quote": failure.quote}
    if checked is None:
        return result
    result["asked"] = dict(checked.settled.said)
    result["only_read"] = dict(checked.settled.only_read)
    result["rows"] = [
        {
            "quantity": row.quantity,
            "place": row.place,
            "predicted": row.predicted,
            "printed": row.printed,
            "resolution": row.resolution,
            "error": row.error,
            "reasons": list(row.reasons),
        }
        for row in checked.rows
    ]
    if hardware := checked.hardware:
        result |= {"card": hardware.card.slug or hardware.card.name, "cards": hardware.count}
    if mending := checked.mending:
        result["fixes"] = [
            {
                "key": fix.key,
                "state": fix.fit.state,
                "weights": fix.workload.weight_format,
                "kv": fix.workload.kv_format,
                "context": fix.workload.context_tokens,
                "sequences": fix.workload.sequences,
                "gpu_layers": fix.workload.gpu_layers,
                "cpu_expert_layers": fix.workload.cpu_expert_layers,
                "cards": fix.fit.count,
                "per_card_bytes": fix.fit.per_card_bytes,
            }
            for fix in mending.fixes
        ]
        result["unsought"] = list(mending.unsought)
    return result


def _text(found: Answer, reading: Reading) -> list[str]:
    checked = found.checked
    name = found.model.name if found.model else ", ".join(reading.names[:3])
    lines = [" · ".join(filter(None, [program_text(reading), name, hardware_text(reading, checked)]))]
    if found.missing:
        lines.append(found.missing)
    compared = checked.rows if checked else printed_rows(reading)
    rows = [(f"{view.label} {view.place}", view) for view in row_views(reading, compared)]
    width = max((len(label) for label, _view in rows), default=0)
    lines.append("")
    for label, view in rows:
        lines.append(f"{label:{width}}  {view.predicted or '-':>14}  {view.printed or '-':>14}  {view.error}".rstrip())
        lines += [f"    {reason}" for reason in view.reasons]
    if checked is not None:
        lines += ["", *(f"- {note}" for note in notes_of(checked))]
    if reading.failure:
        lines += ["", *failure_texts(reading.failure), f"    {reading.failure.quote}"]
    if checked is not None and found.model is not None:
        lines += [f"- {fix.text}: {fix.fit.state}, {fix.fit.room}" for fix in fix_views(checked, found.model)]
    return lines
