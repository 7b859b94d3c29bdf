"""GPUs and other cards."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from catalog.models.addresses import address
from catalog.models.synced import Synced
from catalog.models.vocabulary import Segment, Vendor


class Accelerator(Synced):
    """`memory_gb` is what the label says (GiB by custom); `usable_memory_gib` what the driver reports, null if unknown.

    Tensor rates are dense, without sparsity. Whether the card multiplies FP8 and FP4 is null where it is not known.
    """

    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    vendor = models.CharField(_("vendor"), max_length=20, choices=Vendor, db_index=True)
    segment = models.CharField(_("segment"), max_length=20, choices=Segment, db_index=True)
    architecture = models.CharField(_("architecture"), max_length=60, blank=True)
    memory_gb = models.PositiveIntegerField(_("memory on the label (GB)"))
    usable_memory_gib = models.FloatField(_("usable memory (GiB)"), null=True, blank=True)
    memory_type = models.CharField(_("memory type"), max_length=40, blank=True)
    memory_bus_bits = models.PositiveIntegerField(_("memory bus (bits)"), null=True, blank=True)
    bandwidth_gb_per_s = models.FloatField(_("memory bandwidth (GB/s)"), null=True, blank=True)
    fp16_tflops = models.FloatField(_("FP16 tensor rate (TFLOPS)"), null=True, blank=True)
    fp8_tflops = models.FloatField(_("FP8 tensor rate (TFLOPS)"), null=True, blank=True)
    fp4_tflops = models.FloatField(_("FP4 tensor rate (TFLOPS)"), null=True, blank=True)
    int8_tops = models.FloatField(_("INT8 tensor rate (TOPS)"), null=True, blank=True)
    tdp_w = models.PositiveIntegerField(_("power (W)"), null=True, blank=True)
    interconnect = models.CharField(_("interconnect"), max_length=120, blank=True)
    release_year = models.PositiveSmallIntegerField(_("release year"), null=True, blank=True)
    launch_price_usd = models.PositiveIntegerField(_("launch price (USD)"), null=True, blank=True)
    unified_memory = models.BooleanField(_("unified memory"), default=False)
    devices = models.PositiveSmallIntegerField(
        _("devices"), default=1, help_text=_("How many equal devices software sees: 2 for cards of two dies.")
    )
    max_cards = models.PositiveIntegerField(
        _("most that work as one"),
        null=True,
        blank=True,
        help_text=_("Empty: no limit; unified memory is one machine's."),
    )
    obtainable = models.BooleanField(
        _("can be bought"),
        default=True,
        help_text=_("Off for laptop chips and cloud-only parts: computed, never recommended."),
    )
    sold_in = models.CharField(
        _("sold in one country only"),
        max_length=2,
        blank=True,
        help_text=_("Its ISO code. Recommended after cards that are sold everywhere."),
    )
    compute_capability = models.CharField(_("compute capability"), max_length=8, blank=True)
    supports_fp8 = models.BooleanField(_("FP8 tensor cores"), null=True, blank=True)
    supports_fp4 = models.BooleanField(_("FP4 tensor cores"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    sources = models.JSONField(_("sources"), default=list, blank=True)
    cross_checked = models.BooleanField(_("cross-checked"), default=False)
    cross_check = models.JSONField(_("confirmed by"), default=dict, blank=True)
    disagreements = models.JSONField(_("disagreements"), default=list, blank=True)

    class Meta:
        ordering = ["vendor", "slug"]
        verbose_name = _("accelerator")
        verbose_name_plural = _("accelerators")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return address("catalog:accelerator", self.slug)
