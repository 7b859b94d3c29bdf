"""Commands: what they ask for is what was computed, and nothing in them can be made to run something else."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable
from dataclasses import replace

import pytest

from calculator.architecture import Shape
from calculator.hardware import Card, Command, HardwareError, WeightSource, fit, launch_commands
from calculator.hardware.command import auto_class
from calculator.hardware.terms import NOTES
from calculator.memory import ENGINES, Workload
from calculator.memory.vllm.constants import CUDA_CONTEXT
from tests.calculator.memory.shapes import catalogued

Shapes = Callable[[str], Shape]
QWEN = WeightSource(name="Qwen3 8B", repository="Qwen/Qwen3-8B")


def command(commands: tuple[Command, ...], key: str) -> Command:
    return next(command for command in commands if command.key == key)


def words(text: str) -> list[str]:
    return shlex.split(text.splitlines()[-1])


def option(text: str, name: str) -> str | None:
    """The value after an option."""
    found = words(text)
    return found[found.index(name) + 1] if name in found else None


def test_llama_server_gets_all_of_the_context() -> None:
    """`-c` is shared out among the slots, so four sequences of 8K ask for 32K."""
    workload = Workload(weight_format="Q4_K_M", kv_format="q8_0", kv_v_format="q4_0", context_tokens=8192, sequences=4)
    text = command(launch_commands(workload, QWEN), "llama-server").text
    assert (option(text, "-c"), option(text, "-np")) == ("32768", "4")
    assert (option(text, "-ctk"), option(text, "-ctv")) == ("q8_0", "q4_0")
    assert "--no-kv-unified" in words(text)


@pytest.mark.parametrize(
    ("asked", "said", "parallel"),
    [
        ({"slots": "auto"}, "-c 8192", 1),
        ({"slots": 4}, "-c 32768 -np 4 --no-kv-unified", 4),
        ({"slots": 1}, "-c 8192 -np 1", 1),
        ({"slots": 2, "kv_unified": True}, "-c 8192 -np 2 --kv-unified", 1),
        ({"sequences": 2}, "-c 16384 -np 2 --no-kv-unified", 2),
    ],
)
def test_slots_are_asked_for_as_they_were_computed(asked: dict[str, int | str], said: str, parallel: int) -> None:
    """`tools/server/server.cpp`: without `-np` four slots share `-c` (`kv_unified`)."""
    commands = launch_commands(Workload(weight_format="Q4_K_M", **asked), QWEN)  # type: ignore[arg-type]
    text = command(commands, "llama-server").text
    assert f" {said} -ngl " in text
    assert ("-np" in words(text)) == ("-np" in said)
    assert f"OLLAMA_NUM_PARALLEL={parallel} " in command(commands, "ollama").text


def test_what_llama_server_decides_itself_is_not_said() -> None:
    plain = command(launch_commands(Workload(weight_format="Q4_K_M"), QWEN), "llama-server").text
    assert not {"-fa", "-ub", "-b", "--swa-full"} & set(words(plain))
    turned = Workload(weight_format="Q4_K_M", flash_attention=False, micro_batch=1024, batch=1024, swa_full=True)
    commands = launch_commands(turned, QWEN)
    text = command(commands, "llama-server").text
    assert (option(text, "-fa"), option(text, "-ub"), option(text, "-b")) == ("off", "1024", "1024")
    assert "--swa-full" in words(text)
    assert "OLLAMA_FLASH_ATTENTION=0" in command(commands, "ollama").text


def test_shares_of_cards_and_what_guesses_ahead() -> None:
    split = Workload(weight_format="Q4_K_M", tensor_split=(3, 1), mtp=2, draft_kv_format="q8_0")
    text = command(launch_commands(split, QWEN), "llama-server").text
    assert (option(text, "-ts"), option(text, "-sm")) == ("3,1", "layer")
    assert option(text, "-ctkd") == "q8_0"
    thirds = launch_commands(split.but(tensor_split=(1 / 3, 12345678.0)), QWEN)  # 12345678 takes 24 bits
    assert option(command(thirds, "llama-server").text, "-ts") == "0.333333333,12345678"
    assert "-ctvd" not in words(text)
    seeing = Workload(weight_format="Q4_K_M", vision=True, mmproj_in_ram=True)
    assert "--no-mmproj-offload" in words(
        command(launch_commands(seeing, replace(QWEN, multimodal=True)), "llama-server").text
    )


def test_offload() -> None:
    workload = Workload(weight_format="Q4_K_M", gpu_layers=20, cpu_expert_layers=10)
    commands = launch_commands(workload, QWEN)
    text = command(commands, "llama-server").text
    assert (option(text, "-ngl"), option(text, "--n-cpu-moe")) == ("20", "10")
    modelfile = command(commands, "modelfile")
    assert "PARAMETER num_gpu 20" in modelfile.text.splitlines()
    assert "PARAMETER num_batch 512" in modelfile.text.splitlines()  # by itself Ollama takes more for long contexts
    assert [note.key for note in modelfile.notes] == ["ollama_defaults", "ollama_no_cpu_moe"]


def test_a_file_that_nobody_named_is_a_placeholder() -> None:
    shown = command(launch_commands(Workload(weight_format="Q4_K_M"), QWEN), "llama-server")
    assert shown.placeholders == ("qwen3-8b-Q4_K_M.gguf",)
    assert shown.placeholders[0] in words(shown.text)
    known = WeightSource(name="Qwen3 8B", repository="Qwen/Qwen3-8B", gguf="Qwen/Qwen3-8B-GGUF")
    named = command(launch_commands(Workload(weight_format="Q4_K_M"), known), "llama-server")
    assert named.placeholders == ()
    assert option(named.text, "-hf") == "Qwen/Qwen3-8B-GGUF:Q4_K_M"


def test_vllm_splits_as_it_was_placed(shape: Shapes, cards: dict[str, Card]) -> None:
    workload = Workload(engine="vllm", context_tokens=32768, kv_format="fp8")
    answer = fit(shape("qwen2-5-14b-instruct"), workload, cards["h100-sxm-80gb"], 16)
    source = WeightSource(name="Qwen2.5 14B", repository="Qwen/Qwen2.5-14B-Instruct")
    text = command(launch_commands(workload, source, fit=answer), "vllm").text
    assert words(text)[:3] == ["vllm", "serve", "Qwen/Qwen2.5-14B-Instruct"]
    assert (option(text, "--tensor-parallel-size"), option(text, "--pipeline-parallel-size")) == ("8", "2")
    assert (option(text, "--max-model-len"), option(text, "--kv-cache-dtype")) == ("32768", "fp8")
    assert option(text, "--gpu-memory-utilization") is None  # its default is enough


def test_vllm_is_asked_for_more_memory_where_it_is_tight(shape: Shapes, cards: dict[str, Card]) -> None:
    workload = Workload(engine="vllm", context_tokens=2048)
    model = shape("gpt-oss-120b")
    for card in cards.values():
        answer = fit(model, workload, card, 1)
        source = WeightSource(name="gpt-oss", repository="openai/gpt-oss-120b", native_format="MXFP4")
        percent = option(launch_commands(workload, source, fit=answer)[0].text, "--gpu-memory-utilization")
        assert (percent is not None) is (answer.state == "tight")
        if percent is not None:
            assert answer.most_bytes is not None
            free = card.usable_bytes - card.devices * CUDA_CONTEXT.bytes
            assert min(answer.most_bytes, 0.99 * free) <= float(percent) * card.usable_bytes <= free
            assert 0.92 < float(percent) <= 0.99


@pytest.mark.parametrize(
    ("weights", "native", "flag", "note"),
    [
        ("BF16", "BF16", ("--dtype", "bfloat16"), None),
        ("FP8", "BF16", ("--quantization", "fp8"), None),
        ("FP8-BLOCK", "FP8", None, None),  # as published: config.json says how
        ("AWQ", "BF16", None, "needs_checkpoint"),
    ],
)
def test_weight_formats_of_vllm(weights: str, native: str, flag: tuple[str, str] | None, note: str | None) -> None:
    source = WeightSource(name="M", repository="a/m", native_format=native)
    shown = launch_commands(Workload(engine="vllm", weight_format=weights), source)[0]
    assert [entry.key for entry in shown.notes] == ([note] if note else [])
    if flag:
        assert option(shown.text, flag[0]) == flag[1]
    else:
        assert "--quantization" not in shown.text
        assert "--dtype" not in shown.text


def test_modelscope(shape: Shapes) -> None:
    workload = Workload(engine="vllm", weight_format="BF16")
    assert launch_commands(workload, QWEN, hub="modelscope")[0].text.startswith("VLLM_USE_MODELSCOPE=True vllm serve ")
    source = WeightSource(name="Qwen3 8B", gguf="Qwen/Qwen3-8B-GGUF")
    commands = launch_commands(Workload(weight_format="Q4_K_M"), source, hub="modelscope")
    download, serve = command(commands, "llama-server").text.splitlines()
    assert shlex.split(download)[:4] == ["modelscope", "download", "--model", "Qwen/Qwen3-8B-GGUF"]
    assert shlex.split(serve)[0] == "llama-server"
    assert command(commands, "modelfile").text.startswith("FROM modelscope.cn/Qwen/Qwen3-8B-GGUF:Q4_K_M\n")
    snippet = launch_commands(Workload(engine="transformers", weight_format="BF16"), QWEN, hub="modelscope")[0]
    assert snippet.text.startswith("from modelscope import ")


@pytest.mark.parametrize("weights", ["BF16", "NF4", "INT8"])
@pytest.mark.parametrize("vision", [True, False])
def test_the_snippet_is_python(weights: str, vision: bool) -> None:
    source = WeightSource(name="M", repository="a/m", multimodal=True)
    snippet = launch_commands(Workload(engine="transformers", weight_format=weights, vision=vision), source)[0]
    tree = ast.parse(snippet.text)
    imported = {name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}
    assert ("BitsAndBytesConfig" in imported) is (weights != "BF16")
    assert ("AutoModelForImageTextToText" in imported) is vision


@pytest.mark.parametrize(
    "name", ["a/m; rm -rf /", "$(id)", "a/m\nPARAMETER stop x", "--help", "", "a/m'", "模型", "https://example.org/m"]
)
def test_only_repositories_are_repositories(name: str) -> None:
    for field in ("repository", "gguf", "quantised"):
        with pytest.raises(HardwareError) as caught:
            replace(WeightSource(name="M"), **{field: name})  # type: ignore[arg-type]
        assert (caught.value.field, caught.value.key) == (field, "not_a_repository")


@pytest.mark.parametrize("name", ["M; rm -rf /", "$(id)", "M\nPARAMETER stop x", "--help", "模型", "'\"`"])
def test_a_name_cannot_break_out(name: str) -> None:
    for engine in ENGINES:
        for shown in launch_commands(Workload(engine=engine, weight_format="Q4_K_M"), WeightSource(name=name)):
            assert "rm -rf" not in shown.text
            assert "$(" not in shown.text
            assert "PARAMETER stop" not in shown.text


def test_every_key_is_documented() -> None:
    for engine in ENGINES:
        for kv in ("f16", "q8_0", "iq4_nl", "fp8"):
            workload = Workload(engine=engine, weight_format="AWQ", kv_format=kv, cpu_expert_layers=1)
            for shown in launch_commands(workload, QWEN):
                assert all(set(note.values) == set(NOTES[note.key]) for note in shown.notes)


def test_an_unknown_hub_is_named() -> None:
    with pytest.raises(HardwareError, match="hub"):
        launch_commands(Workload(), QWEN, hub="ftp")


def test_ollama_loads_a_tag_of_its_library_where_that_is_the_file(cards: dict[str, Card]) -> None:
    known = replace(QWEN, ollama="qwen3:8b", gguf="unsloth/Qwen3-8B-GGUF")
    for weight_format, origin in (("Q4_K_M", "qwen3:8b"), ("Q8_0", "hf.co/unsloth/Qwen3-8B-GGUF:Q8_0")):
        modelfile = command(launch_commands(Workload(weight_format=weight_format), known), "modelfile")
        assert modelfile.text.splitlines()[0] == f"FROM {origin}"
        assert modelfile.placeholders == ()


@pytest.mark.parametrize(
    ("card", "count", "context"),
    [("rtx-3060-12gb", 1, 4_096), ("rtx-4090", 1, 32_768), ("rtx-4090", 2, 262_144), ("h100-sxm-80gb", 1, 262_144)],
)
def test_what_ollama_would_take_by_itself(
    shape: Callable[[str], Shape], cards: dict[str, Card], card: str, count: int, context: int
) -> None:
    """docs/context-length.mdx of Ollama: 4k below 24 GiB, 32k from there, 256k from 48 GiB."""
    placed = fit(shape("qwen3-8b"), Workload(weight_format="Q4_K_M"), cards[card], count)
    (note, *_others) = command(launch_commands(placed.workload, QWEN, fit=placed), "modelfile").notes
    assert (note.key, note.values) == ("ollama_default_here", {"context": context})


@pytest.mark.parametrize(
    ("card", "runs"),
    [
        *(("rtx-4090", True), ("instinct-mi300x", True), ("apple-m2-ultra-192gb", True), ("arc-b580", True)),
        *(("ascend-910b3-64gb", False), ("mtt-s4000", False), ("cambricon-mlu590-m9", False)),
    ],
)
def test_ollama_is_proposed_for_cards_that_it_runs_on(
    shape: Callable[[str], Shape], cards: dict[str, Card], card: str, runs: bool
) -> None:
    """docs/gpu.mdx of Ollama: NVIDIA's, AMD's, Apple's, and Intel's by Vulkan; it has no build with CANN or MUSA."""
    placed = fit(shape("qwen3-8b"), Workload(weight_format="Q8_0"), cards[card], 1)
    keys = {shown.key for shown in launch_commands(placed.workload, QWEN, fit=placed)}
    assert keys == {"llama-server", *(("modelfile", "ollama") if runs else ())}


@pytest.mark.parametrize(
    ("diffusion", "reads_first", "expected"),
    [
        ("", "", "AutoModelForCausalLM.from_pretrained"),
        # `AutoModelForCausalLM` has no class for T5, and for BART the decoder alone
        ("", "text", "AutoModelForSeq2SeqLM.from_pretrained"),
        ("", "image", "AutoModelForImageTextToText.from_pretrained"),  # TrOCR, Donut
        ("blocks", "", None),  # LLaDA and Dream write by code of their own
    ],
)
def test_transformers_loads_a_model_by_what_writes(diffusion: str, reads_first: str, expected: str | None) -> None:
    shape = replace(catalogued("qwen/qwen3-8b"), diffusion=diffusion, reads_first=reads_first)
    source = WeightSource(name="x", repository="google-t5/t5-small", auto_class=auto_class(shape))
    workload = Workload(engine="transformers", weight_format="BF16")
    texts = [command.text for command in launch_commands(workload, source)]
    assert len(texts) == (expected is not None)
    assert all(str(expected) in text for text in texts)


def test_florence_is_loaded_by_the_class_for_images() -> None:
    """`MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES` of transformers 5.24 has no `florence2`, that for images has."""
    shape = replace(catalogued("qwen/qwen3-8b"), model_type="florence2_language", reads_first="text")
    assert auto_class(shape) == "AutoModelForImageTextToText"
