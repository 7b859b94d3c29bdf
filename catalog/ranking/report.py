"""A release as lines of plain text, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from catalog.ranking.release import Release


def lines(release: Release, num_scores: int, top: int = 15) -> Iterator[str]:
    """The first `top` places with ranges, then how many models have none and why. The release may lack its inputs,
    which are so many."""
    scope = release.scope
    yield (
        f"{scope.key}: {len(release.ranked)} ranked of {len(release.ranked) + len(release.unranked)} listed, "
        f"{num_scores} scores, {release.fitted} models fitted ({release.anchors} anchors), "
        f"at least {scope.min_benchmarks} benchmarks in {scope.min_categories} categories"
    )
    made = f"method {release.method}, seed {release.seed}, {release.draws} draws, {release.date}"
    yield f"{made}, input {release.input_hash[:12]}"
    yield " rank   range  tier  index  benchmarks  model"
    for place in release.ranked[:top]:
        span = f"{place.low}-{place.high}"
        yield (
            f"{place.rank:>5} {span:>7} {place.tier:>5} {place.index:>6.1f} {len(place.benchmarks):>11}  {place.model}"
        )
    for reason, count in sorted(Counter(unranked.reason for unranked in release.unranked).items()):
        yield f"not ranked, {reason}: {count}"
