from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from modeltranslation.utils import build_localized_verbose_name as in_language

from catalog.admin.base import CatalogAdmin, MissingTranslation, RecordForm
from catalog.admin.fields import LinesField
from catalog.admin.findings import text
from catalog.admin.tables.views import AsTables
from catalog.models import Accelerator
from catalog.source.number_formats import check_accelerator
from catalog.source.records import AcceleratorRecord, Record


class AcceleratorForm(RecordForm):
    record = AcceleratorRecord
    sources = LinesField(label=_("sources"), required=False)
    disagreements_en = LinesField(label=in_language(_("disagreements"), "en"), required=False)
    disagreements_zh_hans = LinesField(label=in_language(_("disagreements"), "zh-hans"), required=False)

    def check_record(self) -> Record | None:
        record = super().check_record()
        if isinstance(record, AcceleratorRecord):
            self.refuse(check_accelerator(record))
        return record


@admin.register(Accelerator)
class AcceleratorAdmin(AsTables, CatalogAdmin):
    form = AcceleratorForm
    record = AcceleratorRecord
    list_display = ("slug", "name_en", "vendor", "segment", "memory_gb", "bandwidth_gb_per_s", "cross_checked")
    list_filter = (
        MissingTranslation,
        "vendor",
        "segment",
        "cross_checked",
        "unified_memory",
        "supports_fp8",
        "supports_fp4",
    )
    search_fields = ("slug", "name_en", "name_zh_hans", "architecture")
    fieldsets = (
        (None, {"fields": ("slug", "name", "vendor", "segment", "architecture", "release_year", "launch_price_usd")}),
        (
            _("Memory"),
            {
                "fields": (
                    ("memory_gb", "usable_memory_gib"),
                    ("memory_type", "memory_bus_bits"),
                    ("bandwidth_gb_per_s", "unified_memory"),
                    ("devices", "max_cards", "obtainable", "sold_in"),
                )
            },
        ),
        (
            _("Compute"),
            {
                "fields": (
                    ("fp16_tflops", "fp8_tflops", "fp4_tflops", "int8_tops"),
                    ("supports_fp8", "supports_fp4", "compute_capability"),
                    ("tdp_w", "interconnect"),
                )
            },
        ),
        (
            _("Sources"),
            {"fields": ("note", "sources", "cross_checked", "cross_check", "disagreements", "local_edits")},
        ),
    )

    def contradictions(self, record: AcceleratorRecord) -> Iterable[str]:
        return (text(finding) for finding in check_accelerator(record) if not finding.note)
