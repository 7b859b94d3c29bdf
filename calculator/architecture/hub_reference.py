"""The name or the address of a repository on a hub, as people paste it. Nothing is fetched: where a config.json lies is
known from how each hub writes its addresses."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

LONGEST = 500
_NAME = re.compile(r"[\w.-]{1,96}", re.ASCII)
_TAG = re.compile(r"(?:[\w.-]{1,96}/)?[\w.-]{1,96}(?::[\w.-]{1,96})?", re.ASCII)
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
    """`name` is owner/name, or Ollama's tag; `hub` is empty where the name was given alone."""

    name: str
    hub: str = ""
    revision: str = ""

    @property
    def configs(self) -> tuple[str, ...]:
        """Addresses of its config.json: one, or on every hub where none was named. Ollama has no such file."""
        hubs = (self.hub,) if self.hub else tuple(_CONFIGS)
        known = (_CONFIGS[hub] for hub in hubs if hub in _CONFIGS)
        return tuple(address.format(self.name, self.revision or usual) for address, usual in known)


def hub_reference(text: str) -> HubReference | None:
    """What a text names, or None where it is no repository or tag of a known hub.

    >>> hub_reference("https://huggingface.co/Qwen/Qwen3-8B/blob/main/config.json")
    HubReference(name='Qwen/Qwen3-8B', hub='huggingface', revision='main')
    >>> hub_reference("Qwen/Qwen3-8B").configs[0]
    'https://huggingface.co/Qwen/Qwen3-8B/raw/main/config.json'
    """
    text = text[: LONGEST + 1].strip().strip("<>\"'")
    if len(text) > LONGEST or not text or re.search(r"\s", text):
        return None
    address = _address(text)
    if address is None:
        owner, _, name = text.partition("/")
        return HubReference(text) if _NAME.fullmatch(owner) and _NAME.fullmatch(name) else None
    hub = _HUBS[_host(address)]
    parts = [unquote(part) for part in address.path.split("/") if part]
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
    owner, name = parts[0], parts[1].partition(":")[0]  # Ollama writes hf.co/owner/name:Q4_K_M
    if not (_NAME.fullmatch(owner) and _NAME.fullmatch(name)):
        return None
    rest = parts[2:]
    while rest and rest[0] in _BEFORE_REVISION:
        rest = rest[1:]
    named = rest[0] if len(parts) > 2 and parts[2] in _BEFORE_REVISION and rest else ""
    return HubReference(f"{owner}/{name}", hub, named if _NAME.fullmatch(named) else "")
