"""The editors' side: every row in both languages, checked by the same rules as the files."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from catalog.admin.accelerators import AcceleratorAdmin
from catalog.admin.benchmarks import BenchmarkAdmin, ScoreAdmin
from catalog.admin.language_models import LanguageModelAdmin
from catalog.admin.organizations import FamilyAdmin, LicenceAdmin, OrganizationAdmin
from catalog.admin.removals import RemovalAdmin

admin.site.site_header = admin.site.site_title = _("Model Atlas: editing")
admin.site.index_title = _("The catalogue")

__all__ = [
    "AcceleratorAdmin",
    "BenchmarkAdmin",
    "FamilyAdmin",
    "LanguageModelAdmin",
    "LicenceAdmin",
    "OrganizationAdmin",
    "RemovalAdmin",
    "ScoreAdmin",
]
