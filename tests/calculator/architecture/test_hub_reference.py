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
        ("qwen3:8b", "qwen3:8b", ""),
        ("ollama run qwen3:8b", "qwen3:8b", ""),
        ("$ ollama pull qwen3", "qwen3", ""),
        *(
            (text, QWEN, "https://huggingface.co/Qwen/Qwen3-8B/raw/main/config.json")
            for text in (
                f"vllm serve {QWEN} --max-model-len 8192",
                f"docker run --gpus all -v /a/b:/c -p 80:80 vllm/vllm-openai:latest --model {QWEN}",
                f"docker run --runtime nvidia --gpus all --ipc=host vllm/vllm-openai:latest {QWEN} --tp 2",
                f"sudo docker run -it --rm -e HF_HOME=a/b -m 16g rocm/vllm:latest vllm serve {QWEN}",
                f"docker run -d --shm-size 32g lmsysorg/sglang python3 -m sglang.launch_server --model-path {QWEN}",
                f"docker run --gpus all \\\n  -p 8000:8000 \\\n  vllm/vllm-openai:latest \\\n  --model {QWEN}",
                f"podman run -dit --device nvidia.com/gpu=all someone/own-image:1 {QWEN}",
                f"docker exec -it vllm/one vllm serve {QWEN}",
                f"python -m sglang.launch_server --model-path {QWEN} --tp 2",
                f"huggingface-cli download {QWEN} --local-dir ./models/qwen",
                f"hf download {QWEN}",
                f"git clone https://huggingface.co/{QWEN}.git",
                f"git clone git@hf.co:{QWEN}",
                f"git@hf.co:{QWEN}",
                f"modelscope download --model {QWEN}",
                f'AutoModelForCausalLM.from_pretrained("{QWEN}", device_map="auto")',
                f'model_name = "{QWEN}"\nmodel = AutoModel.from_pretrained(model_name)',
                f"LLM(model='{QWEN}', tensor_parallel_size=2)",
                f"mlx_lm.generate --model {QWEN} --prompt hello",
                f"看看 https://huggingface.co/{QWEN}，需要多少显存？",
            )
        ),
        ("unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL", "unsloth/Qwen3-8B-GGUF", "https://huggingface.co/unsloth/Qwen3-8B-GGUF/"),
        (
            "llama-server -hf unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL -c 8192",
            "unsloth/Qwen3-8B-GGUF",
            "https://huggingface.co/unsloth/Qwen3-8B-GGUF/",
        ),
        (
            "ollama run hf.co/bartowski/Qwen_Qwen3-8B-GGUF:Q4_K_M",
            "bartowski/Qwen_Qwen3-8B-GGUF",
            "https://huggingface.co/bartowski/Qwen_Qwen3-8B-GGUF/",
        ),
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
        "and/or what else",
        "vllm serve ./models/qwen",
        "ollama list",
        "https://huggingface.co/a/b or https://huggingface.co/c/d",
        '{"_name_or_path": "https://huggingface.co/a/b"}',
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


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("hf.co/unsloth/Qwen3-8B-GGUF:Q4_K_M", "Q4_K_M"),
        ("llama-server -hf unsloth/Qwen3-8B-GGUF:UD-Q4_K_XL -c 8192", "UD-Q4_K_XL"),
        ("unsloth/Qwen3-8B-GGUF", ""),
    ],
)
def test_a_tag_names_the_quantised_file(text: str, tag: str) -> None:
    found = hub_reference(text)
    assert found is not None
    assert found.tag == tag


@pytest.mark.parametrize(
    "text",
    [
        "docker run --gpus all vllm/vllm-openai:latest",
        "docker run -v a/b:/c -it",
        "docker run",
        "docker pull vllm/vllm-openai",
    ],
)
def test_an_image_is_no_model(text: str) -> None:
    assert hub_reference(text) is None
