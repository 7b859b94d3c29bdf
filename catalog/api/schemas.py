"""What the API answers. Prose comes in both languages, so that an answer does not depend on who asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from ninja import Field, Schema

from catalog.models import Accelerator, Benchmark, LanguageModel, Score


class Text(Schema):
    en: str
    zh_hans: str


def both(row: Any, field: str) -> dict[str, str]:
    """A translated field in both languages; empty where one is missing."""
    return {"en": getattr(row, f"{field}_en") or "", "zh_hans": getattr(row, f"{field}_zh_hans") or ""}


class Texts(Schema):
    """The same sentences in the same order."""

    en: list[str]
    zh_hans: list[str]


class Problem(Schema):
    """Why a request was refused."""

    detail: str = Field(description=gettext_noop("Why it was refused, in a sentence."))
    errors: dict[str, list[str]] = Field({}, description=gettext_noop("What is wrong with each parameter."))


def problem(errors: Mapping[str, Iterable[Any]]) -> dict[str, Any]:
    """The errors of a form, as `Problem`."""
    listed = {name: [str(message) for message in messages] for name, messages in errors.items()}
    return {"detail": _("The request is not valid."), "errors": listed}


class LicenceOut(Schema):
    slug: str
    name: str
    spdx: str
    url: str
    commercial_use: str


class ModelBrief(Schema):
    slug: str
    name: str
    organization: str
    family: str
    architecture: str
    total_parameters: int | None
    active_parameters: int | None
    context_tokens: int | None
    input_modalities: list[str]
    output_modalities: list[str]
    licence: LicenceOut | None
    release_date: str | None
    knowledge_cutoff: str | None
    memory_8k_bytes: int | None
    memory_engine: str
    memory_format: str

    @staticmethod
    def resolve_organization(row: LanguageModel) -> str:
        return row.organization.slug

    @staticmethod
    def resolve_family(row: LanguageModel) -> str:
        return row.family.slug

    @staticmethod
    def resolve_release_date(row: LanguageModel) -> str | None:
        return row.release_date or None

    @staticmethod
    def resolve_knowledge_cutoff(row: LanguageModel) -> str | None:
        return row.knowledge_cutoff or None


class SourceOut(Schema):
    facts: list[str]
    ref: str
    url: str
    kind: str
    checked: bool
    checked_on: str


class ScoreOut(Schema):
    benchmark: str
    value: float
    variant: str
    mode: str
    settings: str
    date: str
    source: str
    source_kind: str

    @staticmethod
    def resolve_benchmark(row: Score) -> str:
        return row.benchmark.slug


class ModelOut(ModelBrief):
    summary: Text
    description: Text
    hf_repo: str
    modelscope_repo: str
    gguf_repo: str
    ollama_tag: str
    papers: list[str]
    total_label: str
    active_label: str
    context_extended_tokens: int | None
    num_layers: int | None
    hidden_size: int | None
    num_heads: int | None
    num_kv_heads: int | None
    head_dim: int | None
    vocab_size: int | None
    num_experts: int | None
    num_active_experts: int | None
    num_shared_experts: int | None
    layer_kinds: dict[str, int]
    config: dict[str, Any] | None
    sources: list[SourceOut]
    scores: list[ScoreOut]

    @staticmethod
    def resolve_summary(row: LanguageModel) -> dict[str, str]:
        return both(row, "summary")

    @staticmethod
    def resolve_description(row: LanguageModel) -> dict[str, str]:
        return both(row, "description")


class AcceleratorOut(Schema):
    slug: str
    name: Text
    vendor: str
    segment: str
    architecture: str
    memory_gb: int
    usable_memory_gib: float | None
    memory_type: str
    bandwidth_gb_per_s: float | None
    fp16_tflops: float | None
    fp8_tflops: float | None
    fp4_tflops: float | None
    int8_tops: float | None
    tdp_w: int | None
    interconnect: str
    release_year: int | None
    unified_memory: bool
    devices: int
    max_cards: int | None
    obtainable: bool
    sold_in: str
    launch_price_usd: int | None
    compute_capability: str
    supports_fp8: bool | None
    supports_fp4: bool | None
    note: Text
    sources: list[str]
    disagreements: Texts

    @staticmethod
    def resolve_name(row: Accelerator) -> dict[str, str]:
        return both(row, "name")

    @staticmethod
    def resolve_note(row: Accelerator) -> dict[str, str]:
        return both(row, "note")

    @staticmethod
    def resolve_disagreements(row: Any) -> dict[str, list[str]]:
        return {"en": row.disagreements_en or [], "zh_hans": row.disagreements_zh_hans or []}


class BenchmarkOut(Schema):
    slug: str
    name: Text
    category: str
    description: Text
    limits: Text
    metric: Text
    scale_max: float | None
    higher_is_better: bool
    primary_variant: str
    url: str

    @staticmethod
    def resolve_name(row: Benchmark) -> dict[str, str]:
        return both(row, "name")

    @staticmethod
    def resolve_description(row: Benchmark) -> dict[str, str]:
        return both(row, "description")

    @staticmethod
    def resolve_limits(row: Benchmark) -> dict[str, str]:
        return both(row, "limits")

    @staticmethod
    def resolve_metric(row: Benchmark) -> dict[str, str]:
        return both(row, "metric")
