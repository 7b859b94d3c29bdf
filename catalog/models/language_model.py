"""The entry of the catalogue: one published checkpoint of a language model."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from calculator import labels
from calculator.memory import DEFAULT_ENGINE
from catalog.models import derived, need
from catalog.models.addresses import address
from catalog.models.organization import Family, Licence, Organization
from catalog.models.querysets import LanguageModelManager
from catalog.models.synced import Synced
from catalog.models.validators import OLLAMA_TAG, PARTIAL_DATE, REPOSITORY
from catalog.models.vocabulary import (
    Activation,
    ActiveBasis,
    Architecture,
    Confidence,
    Normalization,
    PositionEmbedding,
    SourceKind,
    TotalBasis,
    Variant,
)

FILTERED = (
    *("is_published", "memory_8k_bytes", "memory_engine", "total_parameters", "context_tokens", "licence"),
    *("organization", "architecture", "num_experts", "input_modalities"),
)
"""What lists are narrowed by (`catalog.bridge.chosen`). It stands in the index of their usual order, so that no row is
read for it: a row holds a whole config, and what stands behind that is far to seek."""


class ShapeColumns(models.Model):
    """Columns read from `config` whenever a row is saved (`catalog.models.derived`), for lists and filters.

    Where the `seal` is whole (`catalog.models.seals`), they need not be computed again to know that they are right.
    """

    architecture = models.CharField(_("architecture"), max_length=8, choices=Architecture, blank=True, editable=False)
    num_layers = models.PositiveIntegerField(_("layers"), null=True, editable=False)
    hidden_size = models.PositiveIntegerField(_("hidden size"), null=True, editable=False)
    num_heads = models.PositiveIntegerField(_("query heads"), null=True, editable=False)
    num_kv_heads = models.PositiveIntegerField(_("key/value heads"), null=True, editable=False)
    head_dim = models.PositiveIntegerField(_("head dimension"), null=True, editable=False)
    vocab_size = models.PositiveIntegerField(_("vocabulary size"), null=True, editable=False)
    num_experts = models.PositiveIntegerField(_("routed experts"), null=True, editable=False)
    num_active_experts = models.PositiveIntegerField(_("routed experts per token"), null=True, editable=False)
    num_shared_experts = models.PositiveIntegerField(_("shared experts"), null=True, editable=False)
    layer_kinds = models.JSONField(_("layers by kind"), default=dict, editable=False)
    memory_8k_bytes = models.PositiveBigIntegerField(
        _("memory at 8K of context (bytes)"), null=True, editable=False, db_index=True
    )
    memory_engine = models.CharField(_("engine of that memory"), max_length=20, blank=True, editable=False)
    memory_format = models.CharField(_("weight format of that memory"), max_length=40, blank=True, editable=False)
    seal = models.CharField(max_length=32, blank=True, default="", db_default="", editable=False)

    class Meta:
        abstract = True

    @property
    def memory_basis(self) -> str:
        """What the memory of lists is for: the weight format, and the engine where it is not the usual one."""
        usual = self.memory_engine in ("", DEFAULT_ENGINE)
        return self.memory_format if usual else f"{self.memory_format} · {labels.engine_name(self.memory_engine)}"


class LanguageModel(ShapeColumns, Synced):
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    organization = models.ForeignKey(
        Organization,
        verbose_name=_("organisation"),
        related_name="models",
        on_delete=models.PROTECT,
        db_index=False,
    )
    family = models.ForeignKey(
        Family, verbose_name=_("family"), related_name="models", on_delete=models.PROTECT, db_index=False
    )
    licence = models.ForeignKey(
        Licence, verbose_name=_("licence"), related_name="models", on_delete=models.PROTECT, null=True, blank=True
    )
    licence_url = models.URLField(
        _("licence of this model"),
        max_length=500,
        blank=True,
        help_text=_("Where its text differs from model to model."),
    )
    variant = models.CharField(_("variant"), max_length=16, choices=Variant)
    is_published = models.BooleanField(
        _("published"), default=False, help_text=_("A draft is seen in the admin alone.")
    )
    release_date = models.CharField(_("release date"), max_length=10, blank=True, validators=[PARTIAL_DATE])
    knowledge_cutoff = models.CharField(_("knowledge cutoff"), max_length=10, blank=True, validators=[PARTIAL_DATE])
    input_modalities = models.JSONField(_("input modalities"), default=list)
    output_modalities = models.JSONField(_("output modalities"), default=list)

    total_parameters = models.PositiveBigIntegerField(
        _("total parameters"), null=True, blank=True, help_text=_("Exact count over all tensors.")
    )
    total_label = models.CharField(_("published total"), max_length=20, blank=True)
    total_published = models.PositiveBigIntegerField(_("published total as a number"), null=True, blank=True)
    total_basis = models.CharField(_("origin of the label"), max_length=12, choices=TotalBasis, blank=True)
    active_parameters = models.PositiveBigIntegerField(_("active parameters"), null=True, blank=True)
    active_label = models.CharField(_("published active"), max_length=20, blank=True)
    active_basis = models.CharField(_("what the active count is"), max_length=12, choices=ActiveBasis, blank=True)
    checkpoint_parameters = models.PositiveBigIntegerField(
        _("numbers in the checkpoint"),
        null=True,
        blank=True,
        help_text=_("With quantisation scales and multi-token-prediction layers."),
    )
    parameters_note = models.TextField(_("note on the counts"), blank=True)

    context_tokens = models.PositiveBigIntegerField(_("context length (tokens)"), null=True, blank=True)
    context_extended_tokens = models.PositiveBigIntegerField(_("extended context (tokens)"), null=True, blank=True)
    context_note = models.TextField(_("note on the context"), blank=True)

    attention = models.JSONField(_("attention"), default=list, blank=True)
    normalization = models.CharField(_("normalisation"), max_length=20, choices=Normalization, blank=True)
    activation = models.CharField(_("activation"), max_length=20, choices=Activation, blank=True)
    position_embedding = models.CharField(_("position embedding"), max_length=20, choices=PositionEmbedding, blank=True)
    config = models.JSONField(
        "config.json", null=True, blank=True, help_text=_("The model's own file; every shape column is read from it.")
    )

    config_unread = models.BooleanField(
        _("config.json is kept unread"),
        default=False,
        help_text=_(
            "For a kind of model that the calculator does not know: no memory is computed, and the page says why."
        ),
    )

    summary = models.CharField(_("summary"), max_length=300, blank=True)
    description = models.TextField(_("description"), blank=True)
    hf_repo = models.CharField(_("Hugging Face repository"), max_length=120, blank=True, validators=[REPOSITORY])
    modelscope_repo = models.CharField(_("ModelScope repository"), max_length=120, blank=True, validators=[REPOSITORY])
    gguf_repo = models.CharField(
        _("repository of GGUF files"),
        max_length=120,
        blank=True,
        validators=[REPOSITORY],
        help_text=_("On Hugging Face; llama-server and Ollama load files from there."),
    )
    ollama_tag = models.CharField(_("Ollama tag"), max_length=80, blank=True, validators=[OLLAMA_TAG])
    papers = models.JSONField(_("papers"), default=list, blank=True)
    confidence = models.CharField(_("confidence"), max_length=10, choices=Confidence, blank=True)

    objects = LanguageModelManager()

    class Meta:
        ordering = ["slug"]
        verbose_name = _("language model")
        verbose_name_plural = _("language models")
        permissions = [("publish_languagemodel", "Can publish language models")]
        # Lists stand in one of these orders: such an index gives the first page without a sort.
        indexes = [
            models.Index(F(column).desc(), "slug", name=f"models_by_{name}")
            for name, column in {
                "parameters": "total_parameters",
                "active": "active_parameters",
                "context": "context_tokens",
                "memory": "memory_8k_bytes",
            }.items()
        ]
        indexes += [
            models.Index(fields=["name", "slug"], name="models_by_name"),
            models.Index(fields=["organization", "is_published", "release_date"], name="models_of_organization"),
            models.Index(fields=["family", "is_published", "release_date"], name="models_of_family"),
            models.Index(fields=["updated_at", "is_published"], name="models_changed"),
            models.Index(F("release_date").desc(), "slug", *FILTERED, name="models_listed"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        shape = derived.fill(self)
        super().save(*args, **kwargs)
        need.store(need.needs_of(self, shape), [self.pk])

    def get_absolute_url(self) -> str:
        return address("catalog:model", self.slug)

    @property
    def max_context_tokens(self) -> int | None:
        """The longest context that the publisher states, extended or not."""
        return max(filter(None, (self.context_tokens, self.context_extended_tokens)), default=None)

    @property
    def licence_address(self) -> str:
        """The text of the licence this model comes under; empty where it is not known."""
        return self.licence_url or (self.licence.url if self.licence else "")


class Alias(Synced):
    """Another spelling of a model's slug, as leaderboards and readers write it."""

    name = models.CharField(_("other name"), max_length=120, unique=True)
    model = models.ForeignKey(LanguageModel, verbose_name=_("model"), related_name="aliases", on_delete=models.CASCADE)

    class Meta:
        ordering = ["name"]
        verbose_name = _("alias")
        verbose_name_plural = _("aliases")

    def __str__(self) -> str:
        return self.name


class Source(Synced):
    """Where facts of an entry come from: `facts` names the keys of its card."""

    model = models.ForeignKey(LanguageModel, verbose_name=_("model"), related_name="sources", on_delete=models.CASCADE)
    facts = models.JSONField(_("facts"), default=list)
    ref = models.CharField(_("reference"), max_length=500)
    url = models.URLField(_("address"), max_length=500, blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=SourceKind)
    checked = models.BooleanField(
        _("opened and checked"), default=False, help_text=_("Off: quoted from memory or from another list.")
    )
    checked_on = models.CharField(_("checked on"), max_length=10, blank=True, validators=[PARTIAL_DATE])
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["model", "position", "pk"]
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.ref
