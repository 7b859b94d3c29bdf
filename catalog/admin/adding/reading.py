"""Step one of a new model: what was sent, what could be read from it, and what is proposed for its card."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import ConfigError, Shape, config_in_file, parse_config_text, read_config
from calculator.architecture.beside import stores_checkpoint, with_quantization
from calculator.architecture.other_files import is_quantization
from calculator.architecture.parse import MAX_BYTES
from calculator.architecture.quantization import word_of_quantisation
from catalog.admin.adding import beside
from catalog.admin.adding.facts import READ, facts
from catalog.admin.adding.naming import names, relations, repository_in
from catalog.admin.fields import LARGEST, storable
from catalog.models import LanguageModel

MOST = 3  # files beside config.json: one of each kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`text` and `repository` as they were sent. `read` follows from the file, `proposed` is for an editor to look at.

    `faults` keep the file from being read as text; `unread` say why no shape could be read from it. `remarks` are
    no faults. `rebuilt`: `text` is not what was sent, but the config.json that a GGUF file's header comes to.
    """

    text: str = ""
    repository: str = ""
    shape: Shape | None = None
    read: Mapping[str, Any] = field(default_factory=dict)
    proposed: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    rebuilt: bool = False

    @property
    def values(self) -> dict[str, Any]:
        """Columns of a card."""
        config = {"config": self.text} if self.text.strip() else {}
        return {**self.proposed, **self.read, **config, "config_unread": bool(self.unread)}


def sent(request: HttpRequest) -> Reading:
    """What step one was given. Nothing is asked of another host, and nothing is kept."""
    upload = request.FILES.get("file")
    raw = upload.read(MAX_BYTES + 1) if isinstance(upload, UploadedFile) else request.POST.get("config", "")
    files: list[Any] = request.FILES.getlist("beside")
    return reading(raw, request.POST.get("repository", ""), [file.read(beside.MAX_BYTES + 1) for file in files[:MOST]])


def reading(raw: str | bytes, repository: str, files: Iterable[bytes] = ()) -> Reading:
    text = raw.decode("utf-8-sig", "replace") if isinstance(raw, bytes) else raw
    text = text.replace("\r\n", "\n")
    found = Reading(text=text[:MAX_BYTES], repository=repository.strip()[:500])
    if not text.strip():
        return replace(found, faults=(_("Paste the text of a config.json, or choose a file."),))
    named, on_modelscope = repository_in(found.repository)
    faults = []
    if found.repository and not named:
        told = _("“%(text)s” names no repository. Write owner/name, or paste its address.")
        faults.append(told % {"text": found.repository})
    try:
        config = parse_config_text(raw)
        found, config = _without_header(found, config)
        known = [beside.parsed(file) for file in files]
        found, config = _quantised(found, config, known)
    except ConfigError as error:
        return replace(found, faults=(*faults, *labels.config_error_texts(error)))
    except beside.UnreadableFileError as fault:
        return replace(found, faults=(*faults, str(fault)))
    if faults:
        return replace(found, faults=tuple(faults))
    return _with_stored(_with_card(found, config, named, on_modelscope), known)


def _without_header(found: Reading, config: dict[str, Any]) -> tuple[Reading, dict[str, Any]]:
    """Of a GGUF file's header, or what Ollama says of a file, the config.json that it comes to; that has no quantised
    tensors, as the model has none."""
    rebuilt = config_in_file(config)
    if rebuilt is None:
        return found, config
    told = _("Rebuilt from the header of a GGUF file: prefer the publisher's own config.json where there is one.")
    config = rebuilt | {"tie_word_embeddings": read_config(config).tied_embeddings}
    text = json.dumps(config, indent=2, ensure_ascii=False)
    return replace(found, text=text, rebuilt=True, remarks=(told,)), config


def _quantised(
    found: Reading, config: dict[str, Any], files: Iterable[dict[str, Any]]
) -> tuple[Reading, dict[str, Any]]:
    """With what hf_quant_config.json says, as engines read both: a card has one file."""
    for file in filter(is_quantization, files):
        config = with_quantization(config, file)
        told = _("The card keeps hf_quant_config.json within its config.json.")
        text = json.dumps(config, indent=2, ensure_ascii=False)
        found = replace(found, text=text, remarks=(*found.remarks, told))
    return found, config


def _with_card(found: Reading, config: dict[str, Any], named: str, on_modelscope: bool) -> Reading:
    try:
        shape = read_config(config)
    except ConfigError as error:
        found = replace(found, unread=tuple(labels.config_error_texts(error)))
        said: dict[str, Any] = {"input_modalities": ["text"], "output_modalities": ["text"]}
    else:
        found, said = replace(found, shape=shape), facts(shape, config)
    proposed = {name: value for name, value in said.items() if name not in READ}
    if named:
        proposed |= names(named, on_modelscope) | relations(named, str(config.get("model_type", "")))
    read = {name: value for name, value in said.items() if name in READ}
    if ("modelscope_repo" in proposed and on_modelscope) or "hf_repo" in proposed:
        told = "modelscope_repo" if on_modelscope else "hf_repo"
        read[told] = proposed.pop(told)
    remarks = (*found.remarks, *_taken(proposed.get("slug")), *_infinite(config))
    found = replace(found, read=read, proposed=proposed, remarks=remarks)
    word = word_of_quantisation(found.repository)
    if word and found.shape is not None and found.shape.quantization is None:
        remark = labels.assumption_text(f"name_says_quantised:{word}")
        found = replace(found, remarks=(*found.remarks, remark))
    return found


def _taken(slug: str | None) -> tuple[str, ...]:
    row = LanguageModel.objects.filter(slug=slug).first() if slug else None
    if row is None:
        return ()
    told = _("The slug %(slug)s is taken by %(name)s: choose another, or edit that model.")
    return (told % {"slug": slug, "name": row},)


def _infinite(config: dict[str, Any]) -> tuple[str, ...]:
    if storable(config) == config:
        return ()
    return (
        _("The file says Infinity, which is no JSON and no database keeps: %(number)s is saved for it.")
        % {"number": f"{LARGEST:g}"},
    )


def _with_stored(found: Reading, files: Iterable[dict[str, Any]]) -> Reading:
    for file in files:
        if stores_checkpoint(file):
            found = _with_numbers(found, file)
    return found


def _with_numbers(found: Reading, file: dict[str, Any]) -> Reading:
    try:
        numbers = beside.stored_numbers(file, found.shape.native_format if found.shape else "")
    except beside.UnreadableFileError as fault:
        return replace(found, faults=(*found.faults, str(fault)))
    if numbers is None:
        told = _("The file beside it does not say how many numbers are stored: they differ in width, or are packed.")
        return replace(found, remarks=(*found.remarks, told))
    least = found.shape.total_parameters if found.shape else 0
    if numbers < least:
        told = _("%(numbers)s numbers lie in that checkpoint, fewer than the model has (%(least)s): is it all of it?")
        words = {"numbers": f"{numbers:,}", "least": f"{least:,}"}
        return replace(found, remarks=(*found.remarks, told % words))
    return replace(found, read={**found.read, "checkpoint_parameters": numbers})
