"""Pasted addresses: the repository, or the tag, that they name."""

from __future__ import annotations

import re

HUB = re.compile(
    r"""(?:https?://)?(?:www\.)?
    (?: (?:huggingface\.co|hf\.co|hf-mirror\.com)/(?:api/models/)?
      | modelscope\.(?:cn|com|ai)/(?:models/)? )
    (?P<repository>[\w.-]+/[\w.-]+)""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
OLLAMA = re.compile(
    r"(?:https?://)?(?:www\.)?(?:registry\.)?ollama\.(?:com|ai)/library/(?P<tag>[\w.:-]+)", re.ASCII | re.IGNORECASE
)
COMMAND = re.compile(
    r"^\s*(?:ollama\s+(?:run|pull)|vllm\s+serve|huggingface-cli\s+download|hf\s+download)\s+(?P<name>\S+)", re.ASCII
)
REPOSITORY = re.compile(r"^\s*[\w.-]+/(?P<name>[\w.-]+)(?::[\w.-]+)?\s*$", re.ASCII)


def named_by(text: str) -> list[str]:
    """What to look for, in order: what an address or a command names, and without its owner if nobody knows that one.

    >>> named_by("https://hf-mirror.com/Qwen/Qwen3-8B/tree/main")
    ['Qwen/Qwen3-8B', 'Qwen3-8B']
    >>> named_by("ollama run gpt-oss:20b"), named_by("qwen3 8b")
    (['gpt-oss:20b'], ['qwen3 8b'])
    """
    if found := HUB.search(text):
        text = found["repository"]
    elif found := OLLAMA.search(text):
        text = found["tag"]
    elif found := COMMAND.search(text):
        return named_by(found["name"])
    owned = REPOSITORY.match(text)
    return [text, owned["name"]] if owned else [text]
