"""A config.json that a reader pastes or uploads: read within bounds, faults in the reader's language."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import (
    ConfigError,
    DraftHead,
    HubReference,
    hub_reference,
    is_draft_head,
    is_gguf,
    is_quantization,
    name_in_file,
    parse_beside,
    parse_config_text,
    read_config,
    read_draft_head,
    stores_checkpoint,
    with_quantization,
    with_stored,
)
from calculator.architecture.parse import MAX_BYTES
from calculator.catalogue import Model
from calculator.fields import is_on
from calculator.hardware import HUBS, WeightSource
from calculator.hardware.command import auto_class
from calculator.pasted_draft import draft_query

MOST_POSTED = 4 * MAX_BYTES
"""A text just too long still gets the sentence about configs; longer bodies are not read at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastedHead:
    """A draft head that was sent in a model's place: `rows` say what it is, and `next` what to do with it; `beside` is
    the query that gives it to a model as its draft, where an address can carry it."""

    head: DraftHead
    beside: str
    rows: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]  # what was assumed
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What was sent: `text` as it stands in the form, then a model, a draft head or the faults of the file."""

    query: QueryDict
    text: str = ""
    quantization: str = ""  # of the hf_quant_config.json beside it
    assume_standard: bool = False
    model: Model | None = None
    head: PastedHead | None = None
    faults: tuple[str, ...] = ()
    reference: HubReference | None = None  # where the name or address of a repository was sent instead
    named: str = ""  # that repository's name, or a model's, where only words were sent


def read_pasted(request: HttpRequest) -> Pasted:
    """The config and the other answers of a POST. Nothing of it is kept."""
    try:
        too_long = int(request.META.get("CONTENT_LENGTH") or 0) > MOST_POSTED
        query = QueryDict() if too_long else request.POST
        uploads = [] if too_long else request.FILES.getlist("file")
    except RequestDataTooBig:
        too_long, query, uploads = True, QueryDict(), []
    if too_long:
        return Pasted(query=query, faults=_texts(ConfigError("", "too_large")))
    raw, beside = _files(uploads, query)
    text, said = (one.decode("utf-8-sig", "replace") if isinstance(one, bytes) else one for one in (raw, beside))
    sent = Pasted(
        query=query,
        text=text[:MAX_BYTES],
        quantization=said[:MAX_BYTES],
        assume_standard=is_on(query.get("assume_standard")),
    )
    if not text.strip():
        return replace(sent, faults=(_("Paste the text of a config.json, or choose a file."),))
    try:
        config = parse_config_text(raw)
        if isinstance(raw, bytes) and is_gguf(raw):
            sent = replace(sent, text=json.dumps(config)[:MAX_BYTES])  # what of it can be sent again
        told = parse_beside(beside) if said.strip() else {}
        if told:
            config = with_quantization(config, told)
        if is_draft_head(config):
            head = read_draft_head(config)
            return replace(sent, head=_pasted_head(head, config))
        shape = with_stored(read_config(config, assume_standard=sent.assume_standard), told)
    except ConfigError as error:
        found = hub_reference(text)
        named = found.name if found else text.strip().strip("\"'") if error.reason == "is_name" else ""
        return replace(sent, faults=_texts(error), reference=found, named=named)
    source = WeightSource(
        name=shape.model_type,
        native_format=shape.native_format,
        native_cache=shape.quantization.cache if shape.quantization else "",
        auto_class=auto_class(shape),
    )
    return replace(sent, model=Model(name=_name(config), shape=shape, sources=tuple((hub, source) for hub in HUBS)))


def _files(uploads: list[UploadedFile], query: QueryDict) -> tuple[str | bytes, str | bytes]:
    """The config.json and what lies beside it: of the files chosen, else of what was pasted."""
    raw: str | bytes = query.get("config") or ""
    beside: str | bytes = query.get("quantization") or ""
    for upload in uploads[:2]:
        content = upload.read(MAX_BYTES + 1)
        if len(uploads) > 1 and _is_beside(content):
            beside = content
        else:
            raw = content
    return raw, beside


def _pasted_head(head: DraftHead, config: dict[str, object]) -> PastedHead:
    return PastedHead(
        head=head,
        beside=draft_query(head, config),
        rows=labels.draft_head_rows(head),
        notes=tuple(labels.assumption_text(key) for key in head.assumptions),
        next=str(labels.NEXT),
    )


def _is_beside(content: bytes) -> bool:
    try:
        told = parse_config_text(content)
        return is_quantization(told) or stores_checkpoint(told)
    except ConfigError:
        return False


def _texts(error: ConfigError) -> tuple[str, ...]:
    return tuple(labels.config_error_texts(error))


def _name(config: dict[str, object]) -> str:
    """The class that the file names, or its model type: the file has no better name of the model."""
    if name := name_in_file(config):
        return name
    architectures = config.get("architectures")
    if isinstance(architectures, list) and architectures and isinstance(architectures[0], str):
        return architectures[0][:80]
    return str(config.get("model_type", "config.json"))[:80]
