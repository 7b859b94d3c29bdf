"""The name or the address of a repository on a hub, as people paste it. Nothing is fetched: where a config.json lies is
known from how each hub writes its addresses."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

LONGEST = 2000
_NAME = re.compile(r"[\w.-]{1,96}", re.ASCII)
_TAG = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}(?::[\w.-]{1,96})?", re.ASCII)
_COMMAND = re.compile(  # as model cards and the engines' documentation write them
    r"[$>%!#\s]*(?:sudo +)?(?:ollama|vllm|sglang|hf|huggingface-cli|modelscope|git|lms|docker|podman|python3?|uvx?"
    r"|lmdeploy|trtllm-serve|text-generation-launcher|mlx_lm[\w.]*|(?:\./)?(?:[\w.-]{1,40}/){0,4}llama-[\w-]{1,40})\s"
)
_PYTHON = re.compile(r"\b(?:from_pretrained|LLM|pipeline|snapshot_download|load|Engine)\(")
_MODEL_OPTION = re.compile(
    r"(?:--model(?:-path|-id)?|--repo-id|--hf-repo|-hfr?|-m)(?:\s+|=)[\"']?([^\s\"']+)"
    r"|\b(?:model(?:_id|_path)?|repo_id) *= *[\"']([^\s\"']+)"
)
_CONTAINER = re.compile(
    r"[$>%!#\s]*(?:sudo +)?(?:docker|podman) +(?:container +)?(?:run|exec|create|pull)\b(.*)", re.DOTALL
)
# Options of `docker run` without a value of their own (docs.docker.com, "docker container run").
_ALONE = frozenset(
    {"--detach", "--disable-content-trust", "--init", "--interactive", "--no-healthcheck", "--oom-kill-disable"}
    | {"--privileged", "--publish-all", "--quiet", "--read-only", "--rm", "--sig-proxy", "--tty", "--use-api-socket"}
)
_LETTERS_ALONE = re.compile(r"-[ditPq]+")
_OF_OLLAMA = re.compile(r"[$>%!#\s]*(?:sudo +)?ollama +(?:run|pull|show|cp|stop) +([^\s\"']+)")
_BARE_TAG = re.compile(r"[A-Za-z][\w.-]{0,95}:[\w.-]{1,96}", re.ASCII)
_HUBS = {
    **dict.fromkeys(("huggingface.co", "hf.co"), "huggingface"),
    "hf-mirror.com": "hf-mirror",
    **dict.fromkeys(("modelscope.cn", "modelscope.ai"), "modelscope"),
    **dict.fromkeys(("ollama.com", "registry.ollama.ai"), "ollama"),
}
_CONFIGS = {
    "huggingface": ("https://huggingface.co/{0}/raw/{1}/config.json", "main"),
    "hf-mirror": ("https://hf-mirror.com/{0}/raw/{1}/config.json", "main"),
    "modelscope": ("https://modelscope.cn/models/{0}/resolve/{1}/config.json", "master"),
}
_NOT_MODELS = frozenset(
    {"datasets", "spaces", "collections", "papers", "docs", "blog", "studios", "organization", "api"}
)
_BEFORE_REVISION = frozenset({"blob", "raw", "resolve", "tree", "view", "file"})


class HubReference(NamedTuple):
    """`name` is owner/name, or Ollama's tag; `hub` is empty where the name was given alone. `tag` names the quantised
    file in a repository of GGUF files, as llama.cpp and Ollama write it behind a colon."""

    name: str
    hub: str = ""
    revision: str = ""
    tag: str = ""

    @property
    def configs(self) -> tuple[str, ...]:
        """Addresses of its config.json: one, or on every hub where none was named. Ollama has no such file."""
        hubs = (self.hub,) if self.hub else tuple(_CONFIGS)
        known = (_CONFIGS[hub] for hub in hubs if hub in _CONFIGS)
        return tuple(address.format(self.name, self.revision or usual) for address, usual in known)


def hub_reference(text: str) -> HubReference | None:
    """What a text names, or None where it is no repository or tag of a known hub.

    >>> hub_reference("https://huggingface.co/Qwen/Qwen3-8B/blob/main/config.json")
    HubReference(name='Qwen/Qwen3-8B', hub='huggingface', revision='main', tag='')
    >>> hub_reference("Qwen/Qwen3-8B").configs[0]
    'https://huggingface.co/Qwen/Qwen3-8B/raw/main/config.json'
    """
    text = text[: LONGEST + 1].strip().strip("<>\"'`")
    if len(text) > LONGEST or not text or "{" in text:
        return None
    if not re.search(r"\s|\(", text):
        return _of_word(text)
    if _COMMAND.match(text) or _PYTHON.search(text):
        return _in_command(text)
    found = [_of_word(word) for word in _words(text) if "/" in word and _address(word)]
    return found[0] if len(set(found)) == 1 else None  # an address in a sentence, where it is the only one


def _words(text: str) -> list[str]:
    return re.split(r"[\s\"'`(),，。、；：（）<>]+", text)


def _in_command(text: str) -> HubReference | None:
    """The model that a command line or a line of Python names: after an option for it, else the first that is one."""
    if ollama := _OF_OLLAMA.match(text):
        return _of_word(ollama[1]) or (HubReference(ollama[1], "ollama") if _TAG.fullmatch(ollama[1]) else None)
    if contained := _CONTAINER.match(text):
        text = _behind_image(contained[1])
    told = [first or second for first, second in _MODEL_OPTION.findall(text)]
    words = [word for word in (*told, *_words(text)) if "/" in word and not word.startswith(("-", ".", "/", "~"))]
    return next((found for word in words if (found := _of_word(word))), None)


def _behind_image(arguments: str) -> str:
    """What a container is started with: all behind its image, which is the first word that belongs to no option."""
    words = re.finditer(r"(?:[^\s\"']|\"[^\"]*\"|'[^']*')+", arguments.replace("\\\n", "  "))
    for word in words:
        option = word[0]
        if option == "\\":
            continue
        if not option.startswith("-"):
            return arguments[word.end() :]
        if "=" not in option and option not in _ALONE and not _LETTERS_ALONE.fullmatch(option):
            next(words, None)
    return ""


def _of_word(word: str) -> HubReference | None:
    """One word: an address, owner/name with or without a tag, or a tag of Ollama's library."""
    word = re.sub(r"^(?:ssh://)?git@([\w.]+)[:/]", r"https://\1/", word)
    address = _address(word)
    if address is None:
        owner, slash, name = word.partition("/")
        if not slash:
            return HubReference(word, "ollama") if _BARE_TAG.fullmatch(word) else None
        name, _, tag = name.partition(":")
        named = all(map(_NAME.fullmatch, (owner, name, tag or "-")))
        return HubReference(f"{owner}/{name}", tag=tag) if named else None
    hub = _HUBS[_host(address)]
    parts = [unquote(part) for part in address.path.split("/") if part]
    if parts and parts[-1].endswith(".git"):
        parts[-1] = parts[-1].removesuffix(".git")
    return _of_ollama(parts) if hub == "ollama" else _of_repository(hub, parts)


def _host(address: SplitResult) -> str:
    return (address.hostname or "").removeprefix("www.")


def _address(text: str) -> SplitResult | None:
    """With or without its scheme; None where it is of no known hub."""
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        return address if address.scheme in ("http", "https") and _host(address) in _HUBS else None
    except ValueError:  # brackets of a broken IPv6 address
        return None


def _of_ollama(parts: list[str]) -> HubReference | None:
    named = "/".join(part for part in parts[:2] if part != "library")
    return HubReference(named, "ollama") if _TAG.fullmatch(named) else None


def _of_repository(hub: str, parts: list[str]) -> HubReference | None:
    if parts[:1] == ["models"]:
        parts = parts[1:]
    if len(parts) < 2 or parts[0] in _NOT_MODELS:
        return None
    owner, (name, _, tag) = parts[0], parts[1].partition(":")
    if not all(map(_NAME.fullmatch, (owner, name, tag or "-"))):
        return None
    rest = parts[2:]
    while rest and rest[0] in _BEFORE_REVISION:
        rest = rest[1:]
    named = rest[0] if len(parts) > 2 and parts[2] in _BEFORE_REVISION and rest else ""
    return HubReference(f"{owner}/{name}", hub, named if _NAME.fullmatch(named) else "", tag)
