"""What is kept in both languages.

Models that only point at translated ones are registered too, so that lookups through them use the reader's language.
"""

from __future__ import annotations

from modeltranslation.translator import TranslationOptions, register

from catalog import models


@register(models.Organization)
@register(models.Licence)
class NameTranslation(TranslationOptions):
    fields = ("name",)
    required_languages = {"en": ("name",), "default": ()}


@register(models.Family)
class FamilyTranslation(TranslationOptions):
    fields = ("name", "summary")
    required_languages = {"en": ("name",), "default": ()}


@register(models.LanguageModel)
class LanguageModelTranslation(TranslationOptions):
    fields = ("summary", "description", "parameters_note", "context_note")


@register(models.Benchmark)
class BenchmarkTranslation(TranslationOptions):
    fields = ("name", "description", "limits", "metric")
    required_languages = {"en": ("name", "metric"), "default": ()}


@register(models.Accelerator)
class AcceleratorTranslation(TranslationOptions):
    fields = ("name", "note", "disagreements")
    required_languages = {"en": ("name",), "default": ()}


@register([models.Alias, models.Source, models.Score, models.Standing, models.Place])
class NoTranslation(TranslationOptions):
    fields = ()
