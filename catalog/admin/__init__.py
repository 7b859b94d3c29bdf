"""The editors' side: every row in both languages, checked by the same rules as the files."""

from catalog.admin.accelerators import AcceleratorAdmin
from catalog.admin.benchmarks import BenchmarkAdmin, ScoreAdmin
from catalog.admin.language_models import LanguageModelAdmin
from catalog.admin.organizations import FamilyAdmin, LicenceAdmin, OrganizationAdmin
from catalog.admin.removals import RemovalAdmin

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
