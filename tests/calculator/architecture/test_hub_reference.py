"""Names and addresses of repositories, as hubs write them."""

from __future__ import annotations

import pytest

from calculator.architecture import ConfigError, HubReference, hub_reference, parse_config_text

QWEN = "Qwen/Qwen3-8B"


@pytest.mark.parametrize(
    ("text", "name", "configs"),
    [  # each address as the hub's own page or button writes it
        (QWEN, QWEN, "https://huggingface.co/Qwen/Qwen3-8B/raw/main/config.json"),
        (f"https://huggingface.co/{QWEN}", QWEN, "https://huggingface.co/Qwen/Qwen3-8B/raw/main/config.json"),
        (f"huggingface.co/{QWEN}/tree/v1", QWEN, "https://huggingface.co/Qwen/Qwen3-8B/raw/v1/config.json"),
        (
            f"https://huggingface.co/{QWEN}/blob/9c925d64/config.json?download=true",
            QWEN,
            "https://huggingface.co/Qwen/Qwen3-8B/raw/9c925d64/config.json",
        ),
        (f" https://hf-mirror.com/{QWEN}/ \n", QWEN, "https://hf-mirror.com/Qwen/Qwen3-8B/raw/main/config.json"),
        (
            "hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M",
            "unsloth/Qwen3-8B-GGUF",
            "https://huggingface.co/unsloth/Qwen3-8B-GGUF/",
        ),
        (
            f"https://www.modelscope.cn/models/{QWEN}/file/view/master/config.json",
            QWEN,
            "https://modelscope.cn/models/Qwen/Qwen3-8B/resolve/master/config.json",
        ),
        ("https://ollama.com/library/qwen3:8b", "qwen3:8b", ""),
        ("https://ollama.com/someone/model", "someone/model", ""),
    ],
)
def test_read(text: str, name: str, configs: str) -> None:
    found = hub_reference(text)
    assert found is not None
    assert found.name == name
    assert found.configs[0].startswith(configs) if configs else not found.configs


def test_a_name_alone_may_lie_on_every_hub() -> None:
    assert len(HubReference(QWEN).configs) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "qwen",
        "a/b/c",
        "Qwen/Qwen3 8B",
        "https://huggingface.co/",
        "https://huggingface.co/datasets/a/b",
        "https://huggingface.co/a/<script>",
        "https://example.org/Qwen/Qwen3-8B",
        "https://huggingface.co.example.org/a/b",
        "javascript:alert(1)/b",
        "http://[/a/b",
        "ftp://huggingface.co/a/b",
        "a/" + "b" * 1000,
        "全/角",
    ],
)
def test_no_repository_of_a_known_hub(text: str) -> None:
    assert hub_reference(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (QWEN, "is_repository"),
        ("https://ollama.com/library/qwen3", "is_ollama_tag"),
        ("https://example.org/config.json", "is_address"),
    ],
)
def test_said_for_what_it_is(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config_text(text)
    assert error.value.reason == reason
