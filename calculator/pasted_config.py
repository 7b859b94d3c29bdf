"""A config.json that a reader pastes or uploads: read within bounds, faults in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from calculator import labels
from calculator.architecture import ConfigError, parse_config_text, read_config
from calculator.architecture.parse import MAX_BYTES
from calculator.catalogue import Model
from calculator.fields import is_on
from calculator.hardware import HUBS, WeightSource

MOST_POSTED = 4 * MAX_BYTES
"""A text just too long still gets the sentence about configs; longer bodies are not read at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What was sent: `text` as it stands in the form, then a model or the faults of the file."""

    query: QueryDict
    text: str = ""
    assume_standard: bool = False
    model: Model | None = None
    faults: tuple[str, ...] = ()


def read_pasted(request: HttpRequest) -> Pasted:
    """The config and the other answers of a POST. Nothing of it is kept."""
    try:
        too_long = int(request.META.get("CONTENT_LENGTH") or 0) > MOST_POSTED
        query = QueryDict() if too_long else request.POST
        upload = None if too_long else request.FILES.get("file")
    except RequestDataTooBig:
        too_long, query, upload = True, QueryDict(), None
    if too_long:
        return Pasted(query=query, faults=_texts(ConfigError("", "too_large")))
    raw = upload.read(MAX_BYTES + 1) if isinstance(upload, UploadedFile) else query.get("config", "")
    text = raw.decode("utf-8-sig", "replace") if isinstance(raw, bytes) else str(raw)
    sent = Pasted(query=query, text=text[:MAX_BYTES], assume_standard=is_on(query.get("assume_standard")))
    if not text.strip():
        return replace(sent, faults=(_("Paste the text of a config.json, or choose a file."),))
    try:
        config = parse_config_text(raw)
        shape = read_config(config, assume_standard=sent.assume_standard)
    except ConfigError as error:
        return replace(sent, faults=_texts(error))
    source = WeightSource(name=shape.model_type, native_format=shape.native_format)
    return replace(sent, model=Model(name=_name(config), shape=shape, sources=tuple((hub, source) for hub in HUBS)))


def _texts(error: ConfigError) -> tuple[str, ...]:
    return tuple(labels.config_error_texts(error))


def _name(config: dict[str, object]) -> str:
    """The class that the file names, or its model type: the file has no better name of the model."""
    architectures = config.get("architectures")
    if isinstance(architectures, list) and architectures and isinstance(architectures[0], str):
        return architectures[0][:80]
    return str(config.get("model_type", "config.json"))[:80]
