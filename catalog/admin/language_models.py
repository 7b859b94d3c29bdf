from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from calculator.architecture import ConfigError, read_config
from calculator.labels import config_error_texts
from calculator.layer_pattern import layer_pattern
from catalog.admin import prose
from catalog.admin.adding.views import AddedFromConfig
from catalog.admin.asks_source import AsksForSources
from catalog.admin.base import HTTPS, CatalogAdmin, MissingTranslation, RecordForm
from catalog.admin.benchmarks import links_to_scores
from catalog.admin.completeness import ConfigOrigin, Lacking, ShowsGaps
from catalog.admin.fields import ChoicesField, ConfigField, LinesField, name_for_readers
from catalog.admin.gone_rows import RowsOfAnEntry
from catalog.admin.local_edits import LocalEdits
from catalog.admin.publishing import PublishedByReviewers
from catalog.admin.read_only import ReadsInWords
from catalog.admin.together import EditedTogether
from catalog.bridge.shapes import shape_of
from catalog.models import Alias, LanguageModel, Source
from catalog.models.vocabulary import Attention, Fact, Modality
from catalog.source.facts import check_model
from catalog.source.records import ModelRecord, Record, SourceRecord


class LanguageModelForm(RecordForm):
    """An edit that contradicts config.json is refused with both values, unless the card's note says why they differ."""

    class Meta:
        labels: ClassVar = {"config_unread": _("Keep config.json without reading it")}
        widgets = prose.widgets()

    record = ModelRecord
    input_modalities = ChoicesField(label=_("input modalities"), choices=Modality.choices)
    output_modalities = ChoicesField(label=_("output modalities"), choices=Modality.choices)
    attention = ChoicesField(label=_("attention"), choices=Attention.choices, required=False)
    papers = LinesField(label=_("papers"), required=False)
    config = ConfigField(label="config.json", required=False)

    def clean(self) -> dict[str, Any] | None:
        """What cannot be read as a model's shape is refused, with the keys at fault, unless it is kept unread."""
        cleaned = super().clean()
        config = self.cleaned_data.get("config")
        if config is not None and not self.cleaned_data.get("config_unread"):
            try:
                read_config(config)
            except ConfigError as error:
                self.add_error("config", config_error_texts(error))
        return cleaned

    def given(self) -> dict[str, Any]:
        return {"sources": []}

    def check_record(self) -> Record | None:
        record = super().check_record()
        if isinstance(record, ModelRecord):
            self.refuse(check_model(record))
            self.check_links()
        return record

    def check_links(self) -> None:
        row = self.instance
        if row.family.organization_id != row.organization_id:
            self.add_error("family", gettext("This family belongs to %(name)s.") % {"name": row.family.organization})
        if alias := Alias.objects.filter(name=row.slug).select_related("model").first():
            self.add_error("slug", gettext("This is another name of %(name)s.") % {"name": alias.model})


class SourceForm(RecordForm):
    record = SourceRecord
    facts = ChoicesField(label=_("facts"), choices=Fact.choices, widget=forms.SelectMultiple(attrs={"size": 6}))

    def check_record(self) -> Record | None:
        record = super().check_record()
        row = self.instance
        same = Source.objects.filter(model_id=row.model_id, ref=row.ref, kind=row.kind).exclude(pk=row.pk)
        if record is not None and row.model_id and same.exists():
            self.add_error("ref", gettext("This source is there already: add the facts to it."))
        return record


class AliasForm(EditedTogether):
    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if LanguageModel.objects.filter(slug=name).exists():
            raise forms.ValidationError(gettext("This is the slug of a model itself."))
        return name


class AliasFormSet(RowsOfAnEntry):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        name_for_readers(form)


class AliasInline(admin.TabularInline):
    model = Alias
    form = AliasForm
    formset = AliasFormSet
    extra = 0


class SourceInline(ReadsInWords, admin.StackedInline):
    model = Source
    form = SourceForm
    formset = RowsOfAnEntry
    formfield_overrides = HTTPS
    extra = 0
    fields = ("facts", "ref", "url", ("kind", "checked", "checked_on", "position"))

    def get_extra(self, request: HttpRequest, obj: LanguageModel | None = None, **options: Any) -> int:
        """Where a config.json was just read, it is the first source."""
        return 1 if hasattr(request, "reading") else 0


@admin.register(LanguageModel)
class LanguageModelAdmin(
    AddedFromConfig, AsksForSources, prose.PreviewsProse, ShowsGaps, LocalEdits, PublishedByReviewers, CatalogAdmin
):
    form = LanguageModelForm
    slug_is_fixed = False
    inlines = (SourceInline, AliasInline)
    list_display = (
        "name",
        "missing",
        "organization",
        "total_label",
        "release_date",
        "is_published",
        "architecture",
        "slug",
    )
    list_filter = (
        Lacking,
        "is_published",
        ConfigOrigin,
        MissingTranslation,
        "organization",
        "architecture",
        "variant",
        "licence__commercial_use",
        "confidence",
    )
    list_select_related = ("organization",)
    search_fields = (
        "slug",
        "name",
        "hf_repo",
        "aliases__name",
        "organization__name_en",
        "organization__name_zh_hans",
        "summary_en",
        "summary_zh_hans",
    )
    autocomplete_fields = ("organization", "family", "licence")
    readonly_fields = (
        *CatalogAdmin.readonly_fields,
        "score_list",
        "architecture",
        "num_layers",
        "layers",
        "memory",
    )
    fieldsets = (
        (None, {"fields": ("name", "slug", "is_published", "organization", "family", "variant")}),
        (_("Text"), {"fields": ("summary", "description")}),
        (_("Facts"), {"fields": ("release_date", "knowledge_cutoff", "licence", "licence_url", "confidence")}),
        (_("Modalities"), {"fields": ("input_modalities", "output_modalities")}),
        (
            _("Parameters"),
            {
                "fields": (
                    ("total_parameters", "checkpoint_parameters"),
                    ("total_label", "total_published", "total_basis"),
                    ("active_parameters", "active_label", "active_basis"),
                    "parameters_note",
                )
            },
        ),
        (_("Context"), {"fields": (("context_tokens", "context_extended_tokens"), "context_note")}),
        (_("Structure"), {"fields": ("attention", "normalization", "activation", "position_embedding")}),
        (_("Links"), {"fields": ("hf_repo", "modelscope_repo", "gguf_repo", "ollama_tag", "papers")}),
        (
            _("Shape"),
            {"fields": ("config", "config_unread", "architecture", "num_layers", "layers", "memory")},
        ),
        (_("Scores"), {"fields": ("score_list",)}),
        (_("Data file"), {"fields": ("local_edits",)}),
    )

    def save_model(self, request: HttpRequest, obj: LanguageModel, form: Any, change: bool) -> None:
        """An address that readers kept goes on: the old slug becomes another name, which leads to the new one. So does
        that of a draft with scores: a release of ranks may name it from the time when readers saw it."""
        before = LanguageModel.objects.filter(pk=obj.pk).values_list("slug", "is_published").first()
        super().save_model(request, obj, form, change)
        if before is None or before[0] == obj.slug:
            return
        slug, was_published = before
        if was_published or obj.scores.exists():
            Alias.objects.get_or_create(name=slug, defaults={"model": obj})
        if was_published:
            told = gettext("The address changed. The old one, %(slug)s, leads to the new one for good.")
            self.message_user(request, told % {"slug": slug}, messages.WARNING)

    @admin.display(description=_("layers by kind"))
    def layers(self, row: LanguageModel) -> str:
        shape = shape_of(row)
        return layer_pattern(shape) if shape else ""

    @admin.display(description=_("memory"))
    def memory(self, row: LanguageModel) -> str:
        """What the model's page shows first."""
        if row.memory_8k_bytes is None:
            return ""
        return f"{row.memory_8k_bytes / 2**30:,.1f} GiB · {row.memory_basis} · 8K"

    @admin.display(description=_("scores"))
    def score_list(self, row: LanguageModel) -> str:
        """A page of their own: one form with all of them grows past what a server takes."""
        return links_to_scores("model", row)
