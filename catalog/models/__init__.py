"""The catalogue's rows. `catalog.source` holds the files they come from, `catalog.sync` brings one to the other."""

from catalog.models.accelerator import Accelerator
from catalog.models.benchmark import Benchmark, Score
from catalog.models.data_change import DataChange
from catalog.models.language_model import Alias, LanguageModel, Source
from catalog.models.need import Need
from catalog.models.organization import Family, Licence, Organization
from catalog.models.rank_request import RankRequest
from catalog.models.release import Place, Release, Standing
from catalog.models.score_numbers import ScoreChange
from catalog.models.synced import Removal, Synced

__all__ = [
    "Accelerator",
    "Alias",
    "Benchmark",
    "DataChange",
    "Family",
    "LanguageModel",
    "Licence",
    "Need",
    "Organization",
    "Place",
    "RankRequest",
    "Release",
    "Removal",
    "Score",
    "ScoreChange",
    "Source",
    "Standing",
    "Synced",
]
