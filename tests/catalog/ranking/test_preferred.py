from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.ranking.preferred import NotPreferred, headline, preferred, preferred_by_item
from catalog.ranking.scores import Benchmark, Mode, Score, ScoreSource

GPQA = Benchmark("gpqa-diamond", "graduate-reasoning", primary_variant="diamond")
ERRORS = Benchmark("vectara-hallucination", "safety-factuality", higher_is_better=False)


def record(key: str, value: float, **facts: object) -> Score:
    return replace(Score(key, "maverick", "gpqa-diamond", value, "diamond"), **facts)  # type: ignore[arg-type]


# the three GPQA Diamond records of Llama 4 Maverick: Epoch's own run, Meta's card, the EXAONE 4.0 readme's copy
EPOCH = record("epoch", 67.0, source=ScoreSource.THIRD_PARTY, date="2025-04-08")
EXAONE = record("exaone", 69.8, source=ScoreSource.THIRD_PARTY, mode=Mode.NON_THINKING, date="2025-08-04")
META = record("meta", 69.8, source=ScoreSource.VENDOR, self_reported=True, date="2025-04-05")
BOARD = record("board", 66.0, source=ScoreSource.LEADERBOARD, date="2024-01-01")


def reasons(*records: Score, benchmark: Benchmark = GPQA) -> dict[str, NotPreferred | None]:
    found = preferred(records, benchmark)
    return {found.score.key: None} | {score.key: reason for score, reason in found.others}


def test_the_independent_record_comes_first_even_where_it_is_older_and_lower() -> None:
    assert reasons(META, EPOCH) == {"epoch": None, "meta": NotPreferred.LESS_INDEPENDENT}
    assert reasons(META, EPOCH, BOARD) == {
        "board": None, "epoch": NotPreferred.LESS_INDEPENDENT, "meta": NotPreferred.LESS_INDEPENDENT,
    }  # fmt: skip


def test_a_copy_of_the_vendors_figure_is_no_second_opinion() -> None:
    assert reasons(META, EPOCH, EXAONE) == {
        "epoch": None, "meta": NotPreferred.LESS_INDEPENDENT, "exaone": NotPreferred.COPIED,
    }  # fmt: skip
    assert reasons(META, EXAONE) == {"meta": None, "exaone": NotPreferred.COPIED}
    # the other way round a leaderboard that arrives at the vendor's figure confirms it
    assert reasons(META, replace(BOARD, value=69.8)) == {"board": None, "meta": NotPreferred.LESS_INDEPENDENT}


def test_a_leaderboard_that_prints_the_vendors_own_figure_is_no_more_independent_than_the_vendor() -> None:
    copied = replace(BOARD, self_reported=True)
    assert reasons(copied, EPOCH) == {"epoch": None, "board": NotPreferred.LESS_INDEPENDENT}


def test_default_settings_come_before_others_of_the_same_source_kind() -> None:
    many = record("cons64", 75.0, source=ScoreSource.THIRD_PARTY, default_settings=False, date="2026-01-01")
    assert reasons(many, EPOCH) == {"epoch": None, "cons64": NotPreferred.OTHER_SETTINGS}
    assert reasons(many) == {"cons64": None}


def test_the_better_mode_counts_and_better_may_mean_lower() -> None:
    off, on = record("off", 50.0, mode=Mode.NON_THINKING), record("on", 60.0, mode=Mode.THINKING)
    assert reasons(off, on) == {"on": None, "off": NotPreferred.OTHER_MODE}
    off, on = (replace(score, benchmark=ERRORS.slug) for score in (off, on))
    assert reasons(off, on, benchmark=ERRORS) == {"off": None, "on": NotPreferred.OTHER_MODE}


def test_one_odd_copy_does_not_move_the_result_and_of_two_the_less_flattering_counts() -> None:
    copies = [record(key, value) for key, value in (("a", 40.0), ("b", 41.0), ("odd", 90.0))]
    assert reasons(*copies) == {"b": None, "a": NotPreferred.NOT_MEDIAN, "odd": NotPreferred.NOT_MEDIAN}
    assert reasons(*copies[1:]) == {"b": None, "odd": NotPreferred.NOT_MEDIAN}


def test_of_equal_values_the_newest_record_is_shown() -> None:
    assert reasons(record("old", 40.0, date="2024"), record("new", 40.0, date="2025-01")) == {
        "new": None, "old": NotPreferred.OLDER,
    }  # fmt: skip


def test_the_headline_is_the_primary_variant_and_keeps_every_record() -> None:
    unstated = record("unstated", 70.0, variant="GPQA, subset not stated", source=ScoreSource.LEADERBOARD, date="2026")
    found = headline([unstated, META, EPOCH], GPQA)
    assert found.score == EPOCH
    assert set(found.others) == {(META, NotPreferred.LESS_INDEPENDENT), (unstated, NotPreferred.OTHER_VARIANT)}
    assert headline([unstated], GPQA).score == unstated


def test_variants_are_never_merged() -> None:
    other = replace(EPOCH, key="x", variant="extended")
    assert len(preferred_by_item([EPOCH, other], {GPQA.slug: GPQA})) == 2
    with pytest.raises(ValueError, match="one model on one item"):
        preferred([EPOCH, other], GPQA)


records = st.builds(
    record,
    st.uuids().map(str),
    st.sampled_from([10.0, 20.0, 30.0]),
    mode=st.sampled_from(Mode),
    source=st.sampled_from(ScoreSource),
    date=st.sampled_from(["2024", "2025-06", "2026-01-01"]),
    default_settings=st.booleans(),
)


@given(st.lists(records, min_size=1, max_size=8, unique_by=lambda score: score.key), st.randoms())
def test_the_order_of_the_records_does_not_matter_and_none_is_lost(scores: list[Score], random: object) -> None:
    found = preferred(scores, GPQA)
    shuffled = list(scores)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert preferred(shuffled, GPQA) == found
    assert sorted([found.score.key, *(score.key for score, _ in found.others)]) == sorted(s.key for s in scores)
