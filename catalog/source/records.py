"""What the files may hold, as typed records. Names are those of the database columns.

A value that is not known is left out of a file: it is null, or empty text, in the record.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from catalog.source import vocabulary as v
from catalog.source.fields import (
    Count,
    Date,
    Label,
    Lines,
    Name,
    OllamaTag,
    OptionalName,
    Positive,
    Repository,
    Settings,
    Slug,
    Summary,
    Text,
    WebAddress,
    Year,
    seen,
)


class Record(BaseModel):
    """Types are taken as written (`"8"` is no number), unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @field_validator("*")
    @classmethod
    def _only_what_is_seen(cls, value: Any, info: ValidationInfo) -> Any:
        if info.field_name != "config":  # which is a publisher's, kept as it is, and shown as JSON alone
            seen(value)
        return value


class OrganizationRecord(Record):
    slug: Slug
    name_en: Name
    name_zh_hans: OptionalName = ""
    url: WebAddress = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2}|INT)?$")] = ""


class FamilyRecord(Record):
    slug: Slug
    organization: Slug
    name_en: Name
    name_zh_hans: OptionalName = ""
    summary_en: Text = ""
    summary_zh_hans: Text = ""


class LicenceRecord(Record):
    slug: Slug
    name_en: Name
    name_zh_hans: OptionalName = ""
    spdx: Annotated[str, Field(max_length=60)] = ""
    url: WebAddress = ""
    commercial_use: v.CommercialUse


class SourceRecord(Record):
    """Where facts come from. `facts` names keys of the card; `checked` is false where nobody opened the source."""

    facts: Annotated[list[v.Fact], Field(min_length=1)]
    ref: Annotated[str, Field(min_length=1, max_length=500)]
    url: WebAddress = ""
    kind: v.SourceKind
    checked: bool = False
    checked_on: Date = ""


class ScoreRecord(Record):
    """One published result. `via` is the copy it was read from, `name_in_source` what the model is called there."""

    model: Annotated[str, Field(min_length=1, max_length=120)]
    benchmark: Slug
    value: Annotated[float, Field(allow_inf_nan=False)]
    variant: OptionalName = ""
    mode: v.ScoreMode = ""
    settings: Settings = ""
    basis: Text = ""
    date: Date = ""
    source: Annotated[WebAddress, Field(min_length=1)]
    via: WebAddress = ""
    source_kind: v.ScoreSourceKind
    name_in_source: Annotated[str, Field(max_length=200)] = ""
    duplicate: v.ScoreDuplicate = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Two records with one key say the same thing twice."""
        return (self.model, self.benchmark, self.variant, self.mode, self.settings, self.date, self.source)


class ModelRecord(Record):
    """A card with the `config.json` beside it; slug and organisation are the names of its folders."""

    slug: Slug
    organization: Slug
    name: Name
    family: Slug
    variant: v.Variant
    licence: Slug | None = None
    licence_url: WebAddress = ""
    is_published: bool = True
    release_date: Date = ""
    knowledge_cutoff: Date = ""
    input_modalities: Annotated[list[v.Modality], Field(min_length=1)]
    output_modalities: Annotated[list[v.Modality], Field(min_length=1)]

    total_parameters: Count | None = None
    total_label: Label = ""
    total_published: Count | None = None
    total_basis: v.TotalBasis | Literal[""] = ""
    active_parameters: Count | None = None
    active_label: Label = ""
    active_basis: v.ActiveBasis | Literal[""] = ""
    checkpoint_parameters: Count | None = None
    parameters_note_en: Text = ""
    parameters_note_zh_hans: Text = ""

    context_tokens: Count | None = None
    context_extended_tokens: Count | None = None
    context_note_en: Text = ""
    context_note_zh_hans: Text = ""

    attention: list[v.Attention] = []
    normalization: v.Normalization | Literal[""] = ""
    activation: v.Activation | Literal[""] = ""
    position_embedding: v.PositionEmbedding | Literal[""] = ""

    hf_repo: Repository = ""
    modelscope_repo: Repository = ""
    gguf_repo: Repository = ""
    ollama_tag: OllamaTag = ""
    papers: list[WebAddress] = []
    confidence: v.Confidence | Literal[""] = ""
    summary_en: Summary = ""
    summary_zh_hans: Summary = ""
    description_en: Text = ""
    description_zh_hans: Text = ""

    config: dict[str, Any] | None = None
    config_unread: bool = False  # of a kind that the calculator does not know
    sources: list[SourceRecord] = []


class BenchmarkRecord(Record):
    slug: Slug
    name_en: Name
    name_zh_hans: OptionalName = ""
    category: v.BenchmarkCategory
    metric_en: Name
    metric_zh_hans: OptionalName = ""
    scale_max: Positive | None = None
    higher_is_better: bool = True
    questions: Count | None = None  # in the variant shown first
    composite: bool = False
    suite: Annotated[str, Field(pattern=r"^([a-z0-9-]+)?$", max_length=60)] = ""  # run by one harness: counts as one
    curt_variants: list[Name] = []  # whose harness leaves no room to think before the answer
    primary_variant: OptionalName = ""
    url: WebAddress = ""
    description_en: Text = ""
    description_zh_hans: Text = ""
    limits_en: Text = ""
    limits_zh_hans: Text = ""


class AcceleratorRecord(Record):
    slug: Slug
    vendor: v.Vendor
    name_en: Name
    name_zh_hans: OptionalName = ""
    segment: v.Segment
    architecture: Annotated[str, Field(max_length=60)] = ""
    release_year: Year | None = None
    memory_gb: Count
    usable_memory_gib: Positive | None = None
    memory_type: Annotated[str, Field(max_length=40)] = ""
    memory_bus_bits: Count | None = None
    bandwidth_gb_per_s: Positive | None = None
    unified_memory: bool = False
    devices: Count = 1
    max_cards: Count | None = None
    obtainable: bool = True
    sold_in: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""  # the one country; empty: not so bound
    fp16_tflops: Positive | None = None
    fp8_tflops: Positive | None = None
    fp4_tflops: Positive | None = None
    int8_tops: Positive | None = None
    supports_fp8: bool | None = None
    supports_fp4: bool | None = None
    compute_capability: Annotated[str, Field(pattern=r"^([0-9]{1,3}\.[0-9])?$")] = ""
    interconnect: OptionalName = ""
    tdp_w: Count | None = None
    launch_price_usd: Count | None = None
    note_en: Text = ""
    note_zh_hans: Text = ""
    sources: Lines = []
    cross_checked: bool = False
    cross_check: dict[v.Confirmed, Lines] = {}
    disagreements_en: Lines = []
    disagreements_zh_hans: Annotated[Lines, Field(validate_default=True)] = []

    @field_validator("disagreements_zh_hans")
    @classmethod
    def _say_each_twice(cls, chinese: list[str], info: ValidationInfo) -> list[str]:
        english = info.data.get("disagreements_en", chinese)
        if len(chinese) != len(english):
            told = "{english} in English, {chinese} in Chinese: say each in both"
            raise PydanticCustomError("not_in_both", told, {"english": len(english), "chinese": len(chinese)})
        return chinese
