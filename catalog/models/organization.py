"""Who publishes models, in which families, under which licences."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.addresses import address
from catalog.models.synced import Synced
from catalog.models.vocabulary import CommercialUse


class Organization(Synced):
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    url = models.URLField(_("website"), max_length=500, blank=True)
    country = models.CharField(
        _("country"),
        max_length=3,
        blank=True,
        help_text=_("ISO 3166 code, two letters; INT for international projects."),
    )

    class Meta:
        ordering = ["slug"]
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("catalog:organization", self.slug)


class Family(Synced):
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    organization = models.ForeignKey(
        Organization, verbose_name=_("organisation"), related_name="families", on_delete=models.PROTECT
    )
    name = models.CharField(_("name"), max_length=120)
    summary = models.TextField(_("summary"), blank=True)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("family")
        verbose_name_plural = _("families")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("catalog:family", self.slug)


class Licence(Synced):
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=160)
    spdx = models.CharField(_("SPDX identifier"), max_length=60, blank=True)
    url = models.URLField(_("text of the licence"), max_length=500, blank=True)
    commercial_use = models.CharField(_("commercial use"), max_length=12, choices=CommercialUse)

    class Meta:
        ordering = ["slug"]
        verbose_name = _("licence")
        verbose_name_plural = _("licences")

    def __str__(self) -> str:
        return self.name
