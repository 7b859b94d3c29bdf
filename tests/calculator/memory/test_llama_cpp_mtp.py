"""Multi-token prediction in llama.cpp: what `llama-server --spec-type draft-mtp` allocates, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from calculator.accuracy.references import measured_shape, reference_config, reference_lines
from calculator.architecture import read_config
from calculator.architecture.shape import Tensor
from calculator.hardware import WeightSource, launch_commands
from calculator.hardware.engines.llama_cpp.weights import weight_bytes
from calculator.memory import Workload, WorkloadError, estimate
from calculator.memory.contexts import first_bytes, second_bytes
from calculator.memory.llama_cpp.draft import draft_cache, draft_compute, draft_host, workload_of
from calculator.memory.llama_cpp.placement import place
from calculator.memory.llama_cpp.prediction import split
from calculator.memory.llama_cpp.running import run
from tests.calculator.memory.shapes import catalogued, catalogued_config, published

MIB = 2**20
PRINTED_MIB = 0.0001
ALIGNMENT_MIB = 0.0414  # tensors begin at whole multiples of 128 bytes (`test_llama_cpp_cards.py`)
ROWS = [dict(line) for line in reference_lines("llama_server_mtp.jsonl")]


def asked(line: dict[str, Any]) -> Workload:
    keys: dict[str, Any] = {
        "context_tokens": line["context"],
        "kv_format": line["kv"],
        "slots": line["slots"],
        "mtp": line["mtp"],
        "draft_kv_format": line.get("draft_kv"),
        "draft_kv_v_format": line.get("draft_kv"),
    }
    return Workload(weight_format="Q4_K_M", kv_v_format=line["kv"], **keys)


@pytest.mark.parametrize("line", ROWS, ids=lambda line: f"{line['config']}-{line['context']}-{line['kv']}")
def test_both_contexts_as_llama_server_allocates_them(line: dict[str, Any]) -> None:
    """Q4_K_M with the prediction layer in the file, and three tokens guessed (`--spec-draft-n-max` is 3 there)."""
    answer = estimate(measured_shape(line), asked(line))
    assert -PRINTED_MIB <= line["weights"] - answer.part("weights").bytes / MIB <= ALIGNMENT_MIB
    assert first_bytes(answer.parts, "kv_cache") / MIB == pytest.approx(line["kv_cache"], abs=PRINTED_MIB)
    assert answer.part("state").bytes / MIB == pytest.approx(line["state"], abs=PRINTED_MIB)
    in_ram, inputs = line["host"]
    assert answer.host[0].bytes / MIB == pytest.approx(in_ram, abs=PRINTED_MIB)
    for found, printed in (
        (first_bytes(answer.parts, "compute"), line["compute"]),
        (first_bytes(answer.host, "compute"), inputs),
        (second_bytes(answer.parts, "compute"), line["draft_compute"]),
        (second_bytes(answer.host, "compute"), line["draft_host_compute"]),
    ):
        assert found / MIB == pytest.approx(printed, abs=PRINTED_MIB)
    assert second_bytes(answer.parts, "kv_cache") / MIB == pytest.approx(line["draft_kv_cache"], abs=PRINTED_MIB)


@pytest.mark.parametrize("line", ROWS, ids=lambda line: f"{line['config']}-{line['context']}-{line['kv']}")
def test_the_second_context_with_a_cache_of_either_kind(line: dict[str, Any]) -> None:
    """`-ctkd` and `-ctvd` are f16 unless told; two runs set them to q8_0."""
    shape = measured_shape(line)
    workload = workload_of(shape, asked(line))
    _, placement = split(place(workload, shape.num_layers + 1), shape.num_layers)
    (cache,), (compute,) = draft_cache(shape, workload, (0,)), draft_compute(shape, workload, placement, 0, 1)
    inputs = draft_host(shape, workload, placement, 1)[0]
    assert cache.bytes / MIB == pytest.approx(line["draft_kv_cache"], abs=PRINTED_MIB)
    for found, printed in ((compute, line["draft_compute"]), (inputs, line["draft_host_compute"])):
        assert found.bytes / MIB == pytest.approx(printed, abs=PRINTED_MIB)


def test_rows_of_logits_are_those_of_a_public_log() -> None:
    """Qwen3.5-4B with its prediction layer, one slot, build 11379 on a GTX 1060: output buffer 3.79 MiB."""
    answer = estimate(measured_shape(ROWS[0]), Workload(weight_format="Q4_K_M", context_tokens=4096, mtp=3))
    (logits, _of_the_second) = (t for part in answer.host for t in part.terms if t.key == "logits_read")
    assert round(logits.bytes / MIB, 2) == 3.79


def test_the_file_holds_its_prediction_layers_only_where_they_are_used() -> None:
    """The quantiser counts them among the layers (`n_layer_all`), so the types of others may move with them."""
    shape = published("qwen3-6-27b")
    plain, guessing = (estimate(shape, Workload(weight_format="BF16", mtp=mtp)) for mtp in (0, 1))
    layer = sum(tensor.elements for tensor in shape.tensors_of("mtp"))
    assert 2 * layer <= guessing.file_bytes - plain.file_bytes <= 2 * layer + 2 * 6 * shape.hidden_size  # norms are F32
    assert weight_bytes(shape, guessing.workload) == weight_bytes(shape, plain.workload)


@pytest.mark.parametrize(
    ("path", "copies"), [("qwen/qwen3-6-27b", 4), ("qwen/qwen3-6-35b-a3b", 4), ("zhipu/glm-4-5-air", 0)]
)
def test_states_are_kept_for_every_guess(path: str, copies: int) -> None:
    """`n_rs_seq` is the number of guesses (`need_n_rs_seq` in `common/common.h`)."""
    shape = catalogued(path)
    plain, guessing = (estimate(shape, Workload(mtp=mtp)).part("state").bytes for mtp in (0, 3))
    assert guessing == copies * plain


def test_an_architecture_that_cannot_go_back_keeps_one_state() -> None:
    """Qwen3-Next is not among those of `llm_arch_supports_rs_rollback`; its config leaves the number of layers out."""
    config = reference_config("qwen3-next-80b-a3b-instruct") | {"num_nextn_predict_layers": 1}
    plain, guessing = (estimate(read_config(config), Workload(mtp=mtp)).part("state").bytes for mtp in (0, 3))
    assert guessing == plain > 0


@pytest.mark.parametrize(
    ("path", "key"),
    [("qwen/qwen3-8b", "no_mtp_layers"), ("deepseek/deepseek-v3-1", "not_for_model")],
)
def test_a_model_without_prediction_layers_is_refused(path: str, key: str) -> None:
    """DeepSeek-V3's converter leaves them out (no `supports_mtp_export` in `conversion/deepseek.py`)."""
    with pytest.raises(WorkloadError) as error:
        estimate(catalogued(path), Workload(mtp=1))
    assert (error.value.field, error.value.key) == ("mtp", key)


@pytest.mark.parametrize("path", ["qwen/qwen3-6-35b-a3b", "deepseek/deepseek-v3-2", "zhipu/glm-4-7-flash"])
@pytest.mark.parametrize("changes", [{}, {"pipeline_parallel": 3}, {"gpu_layers": 5}, {"gpu_layers": 0}])
def test_the_prediction_layers_lie_behind_all_others(path: str, changes: dict[str, Any]) -> None:
    """On the last card, beside the output layer; in RAM where everything is. What is not compared is said."""
    shape, workload = catalogued(path), Workload(context_tokens=4096, mtp=2, **changes)
    answer = estimate(shape, workload)
    for part in answer.parts:
        assert part.bytes == sum(card[part.key] for card in answer.by_card)
    in_ram = next((part for part in answer.host if part.key == "kv_cache"), None)
    held = [
        any(t.key == "cells_predicting" and t.bytes for t in p.terms) for p in (answer.part("kv_cache"), in_ram) if p
    ]
    assert held[0] == (changes.get("gpu_layers") != 0)
    assert sum(held) == 1
    assert "prediction_not_checked" in [note.key for note in answer.notes]


def test_a_dense_model_on_one_card_is_checked() -> None:
    keys = [note.key for note in estimate(published("qwen3-6-27b"), Workload(mtp=3)).notes]
    assert "predicts_in_second_context" in keys
    assert not {"prediction_not_checked", "prediction_graph_not_known"} & set(keys)


def test_a_graph_that_is_not_known_is_said_to_be_estimated() -> None:
    """Hyper-connections in a prediction layer: no builder here lays them out."""
    shape = published("qwen3-6-27b")
    strange = Tensor(role="hc_attn_base", shape=(4,), layer=shape.num_layers, part="mtp")
    answer = estimate(replace(shape, tensors=(*shape.tensors, strange)), Workload(mtp=1))
    assert "prediction_graph_not_known" in [note.key for note in answer.notes]
    assert second_bytes(answer.parts, "compute") > 0
    assert second_bytes(answer.host, "compute") > 0


def test_commands() -> None:
    """`--spec-type` and `--spec-draft-n-max` in `common/arg.cpp`; a Modelfile has no such parameter."""
    source = WeightSource(name="Qwen3.6 27B", repository="Qwen/Qwen3.6-27B")
    server, modelfile, _ = launch_commands(Workload(weight_format="Q4_K_M", mtp=3), source)
    assert " --spec-type draft-mtp --spec-draft-n-max 3" in server.text
    assert "ollama_no_mtp" in [note.key for note in modelfile.notes]
    assert "--spec" not in launch_commands(Workload(weight_format="Q4_K_M"), source)[0].text


def test_the_second_cache_has_formats_of_its_own() -> None:
    """`-ctkd`, `-ctvd`: q8_0 takes 34 bytes for 32 values, F16 64."""
    shape = catalogued("qwen/qwen3-6-27b")

    def bytes_of(**formats: str) -> int:
        asked = Workload(mtp=2, kv_format="q8_0", **formats)  # type: ignore[arg-type]
        return sum(t.bytes for t in estimate(shape, asked).part("kv_cache").terms if t.key == "cells_predicting")

    plain = bytes_of()
    assert bytes_of(draft_kv_format="q8_0", draft_kv_v_format="q8_0") * 64 == plain * 34
    assert bytes_of(draft_kv_format="q8_0") * 128 == plain * (34 + 64)
    for wrong, key in (({"mtp": 0}, "only_with_prediction"), ({"draft_kv_format": "q9"}, "not_offered")):
        with pytest.raises(WorkloadError) as caught:
            estimate(shape, replace(Workload(mtp=2, draft_kv_format="q8_0"), **wrong))
        assert (caught.value.field, caught.value.key) == ("draft_kv_format", key)


@pytest.mark.parametrize(
    ("path", "changes", "field", "key"),
    [
        (
            "qwen/qwen3-6-27b",
            {"flash_attention": False, "draft_kv_v_format": "q8_0"},
            "flash_attention",
            "quantised_values",
        ),
        ("zhipu/glm-4-7-flash", {"draft_kv_format": "q8_0"}, "draft_kv_v_format", "same_as_keys"),
    ],
)
def test_the_second_context_is_refused_what_the_first_is(
    path: str, changes: dict[str, Any], field: str, key: str
) -> None:
    """`llama_init_from_model` makes both: quantised values need flash attention, and a latent is stored once."""
    shape = catalogued(path)
    with pytest.raises(WorkloadError) as caught:
        estimate(shape, Workload(mtp=2, **changes))
    assert (caught.value.field, caught.value.key) == (field, key)
    first = {name.removeprefix("draft_"): value for name, value in changes.items()} | {"kv_format": "q8_0"}
    first |= {} if "kv_v_format" in first else {"kv_v_format": "f16"}
    with pytest.raises(WorkloadError) as caught:
        estimate(shape, Workload(**first))
    assert caught.value.key == key


def test_formats_of_the_second_cache_are_spelled_like_those_of_the_first() -> None:
    shape = catalogued("qwen/qwen3-6-27b")
    spelled = estimate(shape, Workload(mtp=2, kv_format="Q8_0", draft_kv_format="Q8_0", draft_kv_v_format="FP16"))
    assert (spelled.workload.draft_kv_format, spelled.workload.draft_kv_v_format) == ("q8_0", "f16")


def test_an_output_layer_alone_on_a_card_works_for_both_contexts() -> None:
    """Of ten layers with the output, shares of 9 and 1 leave the second card the output, which is handed the same rows
    of hidden states by either context and makes the same logits of them."""
    config = catalogued_config("qwen/qwen3-6-27b")
    text = config["text_config"]
    text |= {"num_hidden_layers": 8, "layer_types": text["layer_types"][:8]}
    shape = read_config(config)
    answer = estimate(shape, Workload(context_tokens=4096, mtp=3, tensor_split=(9, 1)))
    placement = place(answer.workload, 9)  # the prediction layer stands behind the others
    assert (placement.cards[1], placement.output) == ((), 1)
    running = run(shape, answer.workload, placement)
    own, first = 0, 0
    for term in running.parts[2].terms[1:]:  # the first is of the other card
        own, first = (own + term.bytes, first) if "predict" in term.key else (own, first + term.bytes)
    assert own == first > 4 * 512 * shape.hidden_size
