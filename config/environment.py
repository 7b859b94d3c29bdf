"""Typed values from the environment. A value that cannot be stops the start and names its variable.

Any variable may also come from a file: `NAME_FILE=/run/secrets/name` (Docker and systemd secrets).
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off", ""})


def fault(name: str, reason: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"Environment variable {name}: {reason}.")


def text(name: str, default: str = "") -> str:
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return os.environ.get(name, default).strip()
    if name in os.environ:
        raise fault(name, f"set it or {name}_FILE, not both")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise fault(f"{name}_FILE", f"cannot read {path!r} ({error})") from error


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name, "1" if default else "0").lower()
    if value not in TRUE | FALSE:
        raise fault(name, f"{value!r} is neither yes nor no (write 1 or 0)")
    return value in TRUE


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    value = text(name) or str(default)
    if not (value.isascii() and value.isdigit() and minimum <= int(value[:12]) <= maximum):
        raise fault(name, f"{value!r} is not a whole number from {minimum} to {maximum}")
    return int(value)


def rate(name: str, default: str) -> str:
    """How many requests in which time: `120/min`."""
    value = text(name, default)
    if not re.fullmatch(r"[1-9]\d{0,8}/(sec|min|hour|day)", value, re.ASCII):
        raise fault(name, f"{value!r} is not a rate such as 120/min (sec, min, hour, day)")
    return value


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise fault(name, f"{value!r} is none of {', '.join(allowed)}")
    return value


def words(name: str, default: str = "") -> list[str]:
    """A list separated by commas."""
    return [word for part in text(name, default).split(",") if (word := part.strip())]


def addresses(name: str, *, schemes: tuple[str, ...] = ("http", "https")) -> list[str]:
    """A list of absolute addresses, separated by commas (in a password `%2C`)."""
    found = words(name)
    starts = " or ".join(f"{scheme}://" for scheme in schemes)
    for number, address in enumerate(found, 1):
        if not _is_address(address, schemes):
            # It may hold a password, so it is not repeated.
            which = f"the address at place {number} " if len(found) > 1 else ""
            raise fault(name, f"{which}does not start with {starts}, or names no host, or no number as its port")
    return found


def _is_address(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.path if parts.scheme == "unix" else parts.hostname)


def path(name: str, default: str) -> str:
    """A path below the site's root that ends in a slash and takes no page's place."""
    value = text(name, default)
    taken = {"en", "zh", "zh-hans", "zh-cn", "cn", "api", "static"}
    if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*/", value) or value.split("/")[0].lower() in taken:
        raise fault(name, f"{value!r} is not a free path such as 'admin/'")
    return value


def secret(name: str, stored_in: Path) -> str:
    """A secret of at least 32 characters; where none is given, one that is made once and kept in a private file."""
    value = text(name)
    if not value and name not in os.environ:
        value = _stored_secret(name, stored_in)
    if len(value) < 32:
        raise fault(name, "give at least 32 random characters")
    return value


def _stored_secret(name: str, path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # Written whole and then linked: of processes that start at once one wins, and all read the same secret.
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise fault(name, f"not set, and none can be kept in {path} ({error})") from error
