"""What a reader sends to the page that checks a log: the log, and what it does not say."""

from __future__ import annotations

from django import forms
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy

from calculator import labels
from calculator.hardware_form import HardwareForm
from calculator.labels.check import log_error_text
from calculator.logs import MAX_BYTES, LogError, Setting
from calculator.memory import ENGINES

MOST_POSTED = 4 * MAX_BYTES
"""A log just too long still gets the sentence about logs; longer bodies are not read at all."""

STATED = {"weights": "weight_format", "kv": "kv_format", "context": "context_tokens", "sequences": "sequences"}
"""Name of a field -> of a setting."""


class CheckForm(HardwareForm):
    """What the log does not say: all of it may be left empty."""

    engine = forms.ChoiceField(
        label=gettext_lazy("Engine"),
        required=False,
        choices=[("", gettext_lazy("as in the log")), *((name, labels.engine_name(name)) for name in ENGINES)],
    )
    model = forms.CharField(label=gettext_lazy("Model"), required=False, max_length=120)
    weights = forms.CharField(label=gettext_lazy("Quantisation (weight format)"), required=False, max_length=30)
    kv = forms.CharField(label=gettext_lazy("KV cache format"), required=False, max_length=30)
    context = forms.IntegerField(label=gettext_lazy("Context length"), required=False, min_value=1, max_value=2**28)
    sequences = forms.IntegerField(
        label=gettext_lazy("Concurrent requests"), required=False, min_value=1, max_value=2**16
    )

    @property
    def own_fields(self) -> list[forms.BoundField]:
        """Without the cards, which have a list of their own."""
        return [self[name] for name in ("engine", "model", "weights", "kv", "context", "sequences")]

    @property
    def stated(self) -> dict[str, Setting]:
        """The settings that the reader adds."""
        given = ((setting, self.cleaned_data.get(name)) for name, setting in STATED.items())
        return {setting: value for setting, value in given if value not in (None, "")}

    @property
    def opened(self) -> bool:
        """Whether anything stands in it, so that it is not hidden."""
        return bool(self.errors) or any(self.answers.get(name) for name in self.fields if not name.startswith("cards"))


def sent_log(request: HttpRequest) -> tuple[QueryDict, str, str]:
    """The other answers of a POST, the log, and why it was not read at all. Nothing of it is kept."""
    too_large = LogError("too_large", bytes=int(request.META.get("CONTENT_LENGTH") or 0), most=MAX_BYTES)
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_POSTED:
        return QueryDict(), "", log_error_text(too_large)
    try:
        query, upload = request.POST, request.FILES.get("file")
    except RequestDataTooBig:
        return QueryDict(), "", log_error_text(too_large)
    if isinstance(upload, UploadedFile):
        if (upload.size or 0) > MAX_BYTES:
            return query, "", log_error_text(LogError("too_large", bytes=upload.size or 0, most=MAX_BYTES))
        return query, decoded(upload.read(MAX_BYTES + 1)), ""
    return query, str(query.get("log", "")), ""


def decoded(raw: bytes) -> str:
    """The text of a file: Windows PowerShell writes what it redirects as UTF-16."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return raw.decode(encoding, "replace")
