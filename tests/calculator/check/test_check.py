"""Predicted beside printed, why they differ, and what makes a run fit: without a database, on reference configs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from calculator.accuracy.references import reference_shape
from calculator.catalogue import Model
from calculator.check import Checked, check
from calculator.check.cards import named
from calculator.check.compared import Compared
from calculator.check.reasons import REASONS
from calculator.hardware import Card, from_specification
from calculator.hardware.fixes import KEYS
from calculator.logs import Failure, PrintedCard, Reading, read_log
from calculator.memory import WorkloadError
from tests.calculator.logs.samples import sample

GIB = 2**30
GEFORCE = from_specification(
    slug="rtx-4090",
    name="GeForce RTX 4090",
    vendor="nvidia",
    segment="consumer",
    memory_gb=24,
    compute_capability="8.9",
)
RADEON = from_specification(slug="rx-7900-xt", name="Radeon RX 7900 XT", vendor="amd", segment="consumer", memory_gb=20)
HOPPER = from_specification(
    slug="h100",
    name="H100 SXM5 80GB",
    vendor="nvidia",
    segment="datacenter",
    memory_gb=80,
    usable_memory_gib=79.65,
    memory_type="HBM3",
    compute_capability="9.0",
)
OFFERED = (GEFORCE, RADEON, HOPPER)
MODELS = {
    "llama-server.log": "llama-3-1-8b-instruct",
    "llama-server-mtp.log": "qwen3-6-27b",
    "ollama-out-of-memory.log": "qwen2-5-32b-instruct",
    "vllm-cache-too-small.log": "gpt-oss-120b",
    "vllm.log": "qwen3-8b",
    "sglang.log": "qwen2-5-32b-instruct",
}


def checked(name: str, **options: object) -> Checked:
    model = Model(name=name, shape=reference_shape(MODELS[name]))
    return check(read_log(sample(name)), model, offered=OFFERED, **options)  # type: ignore[arg-type]


def told_sample(keys: str, values: str, key_mib: float, value_mib: float) -> str:
    """The run that guesses ahead, its second cache in these formats and of these sizes."""
    text = sample("llama-server-mtp.log")
    for printed, told in (
        ("K (f16):  256.00 MiB, V (f16):  256.00", f"K ({keys}):  {key_mib:.2f} MiB, V ({values}):  {value_mib:.2f}"),
        (" 512.00 MiB", f" {key_mib + value_mib:.2f} MiB"),
    ):
        assert printed in text
        text = text.replace(printed, told)
    return text


def with_draft_model() -> str:
    """llama-server with a draft model: here a second copy of the model itself."""
    text = sample("llama-server.log")
    load = text[text.index("llama_model_loader") : text.index("main: server")]
    return f"{text}\nsrv load_model: loading draft model 'x'\n{load}"


def row(answer: Checked, quantity: str, place: str | None = None) -> Compared:
    return next(row for row in answer.rows if row.quantity == quantity and place in (None, row.place))


def test_llama_server_to_the_digit() -> None:
    answer = checked("llama-server.log")
    for quantity, place in [("weights", "cards"), ("kv_cache", "cards"), ("weights", "host"), ("file_bytes", "file")]:
        assert row(answer, quantity, place).error == 0, (quantity, place)
        assert row(answer, quantity, place).reasons == ()
    assert answer.hardware
    assert (answer.hardware.card, answer.hardware.count) == (GEFORCE, 1)
    assert answer.mending is None
    assert abs(row(answer, "total").error or 0) < 0.02
    assert row(answer, "compute", "cards").error == 0  # that build had a row of logits for every token


def test_both_contexts_of_a_run_that_guesses_ahead() -> None:
    """Part by part, each context's own; what it reads out is an output buffer and not compared."""
    answer = checked("llama-server-mtp.log")
    for quantity in ("kv_cache", "state", "draft_kv_cache"):
        assert row(answer, quantity, "cards").error == 0, quantity
    assert row(answer, "weights", "host").error == 0
    computed = [(quantity, place) for quantity in ("compute", "draft_compute") for place in ("cards", "host")]
    for quantity, place in (("weights", "cards"), *computed):
        # Tensors begin at multiples of 128 bytes, and positions have four coordinates there.
        assert row(answer, quantity, place).error == pytest.approx(0, abs=1e-4), quantity
    assert answer.settled.workload.mtp == 3


def test_a_second_cache_is_asked_about_in_its_own_format() -> None:
    """Half of the F16 run's 512 MiB, times 34 bytes for 32 values in q8_0 instead of 64."""
    model = Model(name="x", shape=reference_shape("qwen3-6-27b"))
    answer = check(read_log(told_sample("q8_0", "q8_0", 136.0, 136.0)), model, offered=OFFERED)
    drafted = row(answer, "draft_kv_cache", "cards")
    assert (drafted.printed, drafted.error) == (272 * 2**20, 0)
    assert row(answer, "kv_cache", "cards").error == 0
    workload = answer.settled.workload
    assert (workload.draft_kv_format, workload.draft_kv_v_format) == ("q8_0", "q8_0")
    mixed = check(read_log(told_sample("q8_0", "f16", 136.0, 256.0)), model, offered=OFFERED)
    assert row(mixed, "draft_kv_cache", "cards").error == 0


def test_a_second_cache_s_format_that_is_not_offered_is_said_there_alone() -> None:
    model = Model(name="x", shape=reference_shape("qwen3-6-27b"))
    answer = check(read_log(told_sample("q9_9", "q8_0", 136.0, 136.0)), model, offered=OFFERED)
    assert "draft_kv_format" in answer.settled.refused
    assert "formats_refused" in row(answer, "draft_kv_cache", "cards").reasons
    assert row(answer, "kv_cache", "cards").error == 0


def test_a_draft_model_is_shown_as_printed() -> None:
    model = Model(name="x", shape=reference_shape("llama-3-1-8b-instruct"))
    answer = check(read_log(with_draft_model()), model, offered=OFFERED)
    drafted = row(answer, "draft_weights", "cards")
    assert (drafted.predicted, drafted.printed) == (None, row(answer, "weights", "cards").printed)


def test_a_row_that_differs_says_why() -> None:
    for name in MODELS:
        for each in checked(name).rows:
            assert set(each.reasons) <= set(REASONS)
            assert bool(each.reasons) == bool(each.error)


def test_what_was_not_reached_is_predicted() -> None:
    reserve = row(checked("ollama-out-of-memory.log"), "compute", "cards")
    assert reserve.predicted
    assert reserve.printed is None
    assert reserve.error is None


def test_tokens_of_a_printed_pool() -> None:
    assert row(checked("vllm.log"), "kv_tokens").error == 0
    assert row(checked("sglang.log"), "kv_tokens").error == 0


def test_a_run_that_did_not_fit_and_what_makes_it() -> None:
    mending = checked("ollama-out-of-memory.log").mending
    assert mending
    asked = mending.asked
    assert asked.spare_bytes is not None
    assert asked.spare_bytes < 0
    assert asked.state == "tight"  # at the least that its driver may take, it would fit
    left = (20_252 - 18_508.35 - 1_024 - 368) * 2**20  # free, less weights, cache, and the buffer that it died on
    assert asked.estimate
    assert asked.estimate.overhead_range_bytes
    assert asked.estimate.overhead_range_bytes[0] < left < asked.estimate.part("overhead").bytes
    # no smaller cache: it ran without flash attention, which quantised values need
    assert [fix.key for fix in mending.fixes] == ["smaller_weights", "shorter_context", "more_cards", "layers_to_ram"]
    for fix in mending.fixes:
        assert fix.key in KEYS
        assert fix.fit.state != "does_not_fit"
    shorter = mending.fixes[1].workload
    assert 2048 <= shorter.context_tokens < 4096
    assert mending.fixes[0].workload.context_tokens == 4096  # each change by itself
    assert mending.fixes[2].fit.count == 2


def test_the_engine_s_own_words_set_the_scale() -> None:
    """vLLM itself says 47,872 tokens would do; ours are within 2 percent, though our weights are 1.4 GiB smaller."""
    mending = checked("vllm-cache-too-small.log").mending
    assert mending
    shorter = next(fix for fix in mending.fixes if fix.key == "shorter_context")
    assert shorter.workload.context_tokens == pytest.approx(47_872, rel=0.02)


def test_what_lay_on_the_card_before_counts() -> None:
    text = sample("llama-server.log").replace("23674 MiB free", "3000 MiB free")
    model = Model(name="x", shape=reference_shape("llama-3-1-8b-instruct"))
    failed = (
        text
        + "\nggml_backend_cuda_buffer_type_alloc_buffer: allocating 9 MiB on device 0: cudaMalloc failed: out of memory"
    )
    mending = check(read_log(failed), model, offered=OFFERED).mending
    assert mending
    assert mending.extra_bytes > 19 * GIB
    assert mending.asked.state == "does_not_fit"


def test_a_run_that_died_though_it_should_fit_leaves_what_was_missing() -> None:
    reading = replace(read_log(sample("llama-server.log")), failure=Failure(key="out_of_memory", quote="x"))
    model = Model(name="x", shape=reference_shape("llama-3-1-8b-instruct"))
    mending = check(reading, model, offered=OFFERED).mending
    assert mending
    assert mending.asked.state == "fits"
    assert mending.unforeseen_bytes > (mending.asked.spare_bytes or 0)
    assert {fix.key for fix in mending.fixes} >= {"smaller_weights", "more_cards"}


def test_too_large_a_share_of_the_card() -> None:
    text = (
        "INFO Initializing a V1 LLM engine (v0.9.2) with config: model='Qwen/Qwen3-8B', max_seq_len=8192\n"
        "ValueError: Free memory on device (59.32/79.15 GiB) on startup is less than desired GPU memory utilization"
        " (0.9, 71.24 GiB)."
    )
    mending = check(read_log(text), Model(name="x", shape=reference_shape("qwen3-8b"))).mending
    assert mending
    assert [(fix.key, fix.share) for fix in mending.fixes] == [("smaller_share", 0.74)]


def test_a_card_that_the_catalogue_lacks_is_as_large_as_printed() -> None:
    text = sample("llama-server.log").replace("RTX 4090", "RTX 9999")
    answer = check(read_log(text), Model(name="x", shape=reference_shape("llama-3-1-8b-instruct")), offered=OFFERED)
    assert answer.hardware
    assert answer.hardware.from_log
    assert answer.hardware.card.usable_bytes == 24564 * 2**20


def test_the_reader_s_word_goes_before_the_log_s() -> None:
    answer = checked("llama-server.log", card=RADEON, cards=2, stated={"weight_format": "Q8_0"})
    assert answer.hardware
    assert (answer.hardware.card, answer.hardware.count) == (RADEON, 2)
    assert answer.settled.workload.weight_format == "Q8_0"


def test_a_format_that_is_not_offered_is_said() -> None:
    answer = checked("llama-server.log", stated={"weight_format": "IQ4_KS_R4"})
    assert "weight_format" in answer.settled.refused
    assert "formats_refused" in checked("llama-server.log", stated={"weight_format": "IQ4_KS_R4"}).rows[0].reasons or (
        answer.rows[0].error == 0
    )


def test_an_engine_that_is_not_known_is_an_error() -> None:
    reading = Reading(program="nvidia-smi", engine="")
    with pytest.raises(WorkloadError):
        check(reading, Model(name="x", shape=reference_shape("qwen3-8b")))


@pytest.mark.parametrize(
    ("name", "total_gib", "card"),
    [
        ("NVIDIA GeForce RTX 4090", 24.0, GEFORCE),
        ("NVIDIA GeForce RTX 4090", None, GEFORCE),
        ("NVIDIA GeForce RTX 4090", 48.0, None),  # a modified card
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 16.0, None),
        ("NVIDIA GeForce RTX 4080", 16.0, None),
        ("NVIDIA H100 80GB HBM3", 79.6, HOPPER),
        ("AMD Radeon RX 7900 XT", 20.0, RADEON),
        ("AMD Radeon RX 7900 XTX", 24.0, None),
        ("", 24.0, None),
    ],
)
def test_cards_by_the_driver_s_name(name: str, total_gib: float | None, card: Card | None) -> None:
    printed = PrintedCard(index=0, name=name, total_bytes=int(total_gib * GIB) if total_gib else None)
    assert named(printed, OFFERED) is card
