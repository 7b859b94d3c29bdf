"""What people paste instead of a config.json: each is told for what it is. Texts as the named programs write them."""

from __future__ import annotations

import html
import json
import time

import pytest

from calculator.architecture import ConfigError, parse_config_text, read_config
from calculator.labels import config_error_texts

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "model_type": "llama",
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "vocab_size": 128256,
}
TEXT = json.dumps(CONFIG, indent=2)
LINES = TEXT.splitlines()


def fault(text: str) -> tuple[str, object]:
    """The reason and the cause of a refusal, each with its sentence."""
    with pytest.raises(ConfigError) as error:
        read_config(parse_config_text(text))
    assert all(config_error_texts(error.value))
    first = error.value.faults[0]
    return first.reason, first.values.get("cause", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Qwen3-8B", "is_name"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "is_name"),
        ("qwen3 8b 需要多少显存", "is_name"),
        ("通义千问", "is_name"),
        ("How much VRAM does Llama 3.1 70B need?", "is_name"),
        (r"D:\models\qwen3\config.json", "is_name"),
        ("/data/models/Qwen3-8B/config.json", "is_name"),
        ("unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL", "is_repository"),
        ("vllm serve Qwen/Qwen3-8B --max-model-len 8192", "is_repository"),
        ("https://ai.gitee.com/hf-models/Qwen3-8B", "is_address"),
        ("https://github.com/QwenLM/Qwen3", "is_address"),
        ("https://huggingface.co/datasets/a/b", "is_address"),
        ("ollama run qwen3:8b", "is_ollama_tag"),
        ("qwen3:8b", "is_ollama_tag"),
        ("<!DOCTYPE html><html><body>Sign in</body></html>", "is_page"),
        ("<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", "is_page"),
        ("Entry not found", "is_refusal"),
        ("Repository not found", "is_refusal"),
        ("404: Not Found", "is_refusal"),
        ("401 Client Error: Unauthorized for url", "is_refusal"),
        ("Invalid username or password.", "is_refusal"),
        (
            "Access to model meta-llama/Llama-3.1-8B is restricted. You must be authenticated to access it.",
            "is_refusal",
        ),
        ('{"error": "Repository not found"}', "is_refusal"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345", "is_lfs_pointer"),
        (
            "  Model\n    architecture        qwen3\n    parameters          8.2B\n    context length      40960\n",
            "is_ollama_show",
        ),
        (
            "INFO:gguf-dump:* Loading: x.gguf\n* File is LITTLE endian\n* Dumping 36 key/value pair(s)",
            "is_gguf_listing",
        ),
        ("* Dumping 36 key/value pair(s)\n      1: UINT32     |        1 | GGUF.version = 3\n", "is_gguf_listing"),
        ("llama_model_loader: loaded meta data with 36 key-value pairs and 399 tensors from x.gguf\n", "is_log"),
        ("print_info: arch             = qwen3\nprint_info: n_layer          = 36\n", "is_log"),
        ("0.00.123.456 I llama_context: n_ctx = 4096\n0.00.123.789 I x\n", "is_log"),
        ("INFO 11-29 10:00:00 [gpu_worker.py:298] Available KV cache memory: 50.1 GiB\n", "is_log"),
        ("(EngineCore_0 pid=12) INFO 11-29 10:00:00 [core.py:1] Initializing\n", "is_log"),
        ("[2026-11-29 10:00:00] server_args=ServerArgs(model_path='Qwen/Qwen3-8B')\n", "is_log"),
        ("Traceback (most recent call last):\n  File 'a.py', line 1, in <module>\nKeyError: 'x'\n", "is_log"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has 24 GiB", "is_log"),
        ('[{"type":"file","oid":"x","size":1,"path":"config.json"}]', "is_hub_answer"),
        ('[{"id":"Qwen/Qwen3-8B","tags":["safetensors"],"downloads":1}]', "is_hub_answer"),
        ('{"Code":200,"Data":{"Name":"Qwen3-8B"},"Success":true}', "is_hub_answer"),
        ('[{"idx":0,"name":"0","path":"","type":"sentence_transformers.models.Transformer"}]', "is_embedding_file"),
        ('{"word_embedding_dimension":1024,"pooling_mode_cls_token":true}', "is_embedding_file"),
        ('{"object":"list","data":[{"id":"Qwen/Qwen3-8B","object":"model"}]}', "is_served_list"),
        ('{"data":[{"id":"qwen3-8b","arch":"qwen3","quantization":"4bit"}]}', "is_served_list"),
        ('{"models":[{"name":"qwen3:8b","size":5225388164}]}', "is_served_list"),
        ('{"zero_optimization":{"stage":3},"bf16":{"enabled":true}}', "is_training"),
        ('{"output_dir":"x","per_device_train_batch_size":1}', "is_training"),
        ('{"epoch":1.0,"log_history":[]}', "is_training"),
        ('{"crop_size":224,"do_normalize":true,"image_mean":[0.5]}', "is_processor"),
        ('{"feature_size":128,"sampling_rate":16000}', "is_processor"),
        ('{"bos_token":"<s>","eos_token":"</s>"}', "is_tokenizer"),
        ('{"chat_template":"{% for m in messages %}"}', "is_tokenizer"),
        (json.dumps({f"token{number}": number for number in range(3000)}), "is_tokenizer"),
        ('{"bits":4,"group_size":128,"damp_percent":0.01,"desc_act":false}', "is_quantize_config"),
        ('{"zero_point":true,"q_group_size":128,"w_bit":4,"version":"GEMM"}', "is_quantize_config"),
        (
            '{"model_type":"llama","quantization":"q4f16_1","model_config":{"hidden_size":4096},"conv_template":"x"}',
            "is_mlc",
        ),
        ("[" + TEXT + "]", "not_an_object"),
        ("8", "not_an_object"),
        ("null", "not_an_object"),
        ('"Qwen3-8B"', "is_name"),
    ],
)
def test_told_for_what_it_is(text: str, reason: str) -> None:
    assert fault(text)[0] == reason


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("LlamaConfig " + TEXT, "text_before", id="printed in Python"),
        pytest.param("config.json:\n" + TEXT, "text_before", id="under its name"),
        pytest.param("HTTP/1.1 200 OK\ncontent-type: application/json\n\n" + TEXT, "text_before", id="with headers"),
        pytest.param("这是配置：\n" + TEXT, "text_before", id="under a sentence"),
        pytest.param("$ cat config.json\n" + TEXT, "text_before", id="under its command"),
        pytest.param("```json\n" + TEXT + "\n```", "fence", id="fence"),
        pytest.param(TEXT + "\n```", "fence", id="end of a fence"),
        pytest.param(TEXT + "\n" + TEXT, "more_behind", id="two"),
        pytest.param(TEXT + "\nuser@host:~$", "more_behind", id="prompt behind"),
        pytest.param('{"a":1}\n{"b":2}', "more_behind", id="JSON lines"),
        pytest.param("{model_type: 'llama', hidden_size: 4096}", "unquoted_key", id="JavaScript"),
        pytest.param('{"model_type": "llama", hidden_size: 4096}', "unquoted_key", id="one key bare"),
        pytest.param(str(CONFIG), "single_quotes", id="Python"),
        pytest.param('model_type = "llama"\nhidden_size = 4096\n', "no_object", id="TOML"),
        pytest.param("model_type: llama\nhidden_size: 4096\n", "no_object", id="YAML"),
        pytest.param("hidden_size,layers\n4096,32\n", "no_object", id="CSV"),
        pytest.param("eyJtb2RlbF90eXBlIjogImxsYW1hIn0=", "no_object", id="base64"),
        pytest.param("🤖", "no_object", id="emoji"),
        pytest.param("".join(f"+{line}\n" for line in LINES), "line_marks", id="diff"),
        pytest.param("".join(f"> {line}\n" for line in LINES), "line_marks", id="quoted"),
        pytest.param("".join(f"{n}  {line}\n" for n, line in enumerate(LINES, 1)), "line_marks", id="numbered"),
        pytest.param("".join(f"{n}: {line}\n" for n, line in enumerate(LINES, 1)), "line_marks", id="grep -n"),
        pytest.param(json.dumps(TEXT), "escaped", id="JSON in a string"),
        pytest.param(json.dumps(TEXT)[1:-1], "escaped", id="out of a string"),
        pytest.param(html.escape(TEXT), "escaped", id="HTML"),
        pytest.param(TEXT[:150], "cut_off", id="cut off in a number"),
        pytest.param(TEXT[: TEXT.index('llama"') + 3], "cut_off", id="cut off in a word"),
        pytest.param(TEXT[: TEXT.index("false") + 3], "cut_off", id="cut off in false"),
        pytest.param(TEXT[: TEXT.index('"vocab')], "cut_off", id="cut off between lines"),
        pytest.param(TEXT.replace("14336,", "14336"), "missing_comma", id="comma missing"),
        pytest.param(TEXT.replace('"llama"', '"lla\nma"'), "control", id="wrapped in a terminal"),
        pytest.param(TEXT.replace(",", "，"), "full_width", id="full-width commas"),
        pytest.param(TEXT.replace('"model_type"', "“model_type”"), "full_width", id="curly quotes"),
        pytest.param(TEXT[:-2] + ",\n}", "trailing_comma", id="trailing comma"),
        pytest.param(TEXT.replace('"vocab', '# of text\n"vocab'), "comment", id="#"),
        pytest.param(TEXT.replace('"vocab', '// of text\n"vocab'), "comment", id="//"),
        pytest.param(TEXT.replace("false", "None"), "python", id="None"),
        pytest.param(TEXT.replace("false", "False"), "python", id="False"),
    ],
)
def test_why_it_is_no_json(text: str, cause: str) -> None:
    assert fault(text) == ("not_json", cause)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u200b" + TEXT, id="zero-width space before"),
        pytest.param("\ufeff\ufeff" + TEXT, id="two byte order marks"),
        pytest.param(TEXT.replace("  ", "\u00a0\u00a0"), id="no-break spaces, as of a chat"),
        pytest.param(TEXT.replace("\n", "\n\t\u3000"), id="full-width spaces"),
        pytest.param(TEXT.replace("\n", "\r\n"), id="Windows"),
        pytest.param(TEXT.replace("\n", "\r"), id="old Mac"),
    ],
)
def test_what_nobody_sees_is_left_out(text: str) -> None:
    assert read_config(parse_config_text(text)).total_parameters == read_config(CONFIG).total_parameters


@pytest.mark.parametrize(
    "text",
    [
        "a/" * 1_900_000,
        "> " * 1_900_000,
        "1 \n" * 1_300_000,
        "ollama run " + "a" * 3_000_000,
        "from_pretrained(" * 200_000,
        "{" + '"a\\' * 1_000_000,
        "\u00a0" * 1_900_000 + "x",
        "llama_" * 600_000,
        "--model " * 400_000,
        "(pid=" * 700_000,
    ],
    ids=lambda text: text[:12],
)
def test_long_nonsense_is_refused_in_good_time(text: str) -> None:
    begun = time.perf_counter()
    fault(text)
    assert time.perf_counter() - begun < 2
