"""Settings come from the environment; a value that cannot be stops the start and names its variable."""

from __future__ import annotations

import runpy
import traceback
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment

SETTINGS = Path(__file__).parents[2] / "config" / "settings.py"
SECRET = "s" * 32


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The settings that a process with exactly these variables would have."""

    def load(**variables: str) -> dict[str, Any]:
        for name in ("DATABASE_URL", "REDIS_URL", "HTTPS", "DEBUG", "ALLOWED_HOSTS", "HOST"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"SECRET_KEY": SECRET, **variables}.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(SETTINGS))

    return load


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("DEBUG", "2"),
        ("HTTPS", "https"),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FILE", "/nowhere/key"),
        ("DATABASE_URL", "mysql://root@localhost/atlas"),
        ("DATABASE_URL", "atlas"),
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "postgresql://localhost:port/atlas"),
        ("CONN_MAX_AGE", "-1"),
        ("CONN_MAX_AGE", "ten"),
        ("CONN_MAX_AGE", "9" * 30),
        ("CONN_MAX_AGE", "١٢"),
        ("HSTS_SECONDS", "1 year"),
        ("REDIS_URL", "localhost:6379"),
        ("REDIS_URL", "redis:///0"),
        ("REDIS_URL", "unix://"),
        ("REDIS_URL", "redis://:6379/0"),
        ("REDIS_URL", "redis://cache:port/0"),
        ("REDIS_URL", "redis://[cache/0"),
        ("CSRF_TRUSTED_ORIGINS", "atlas.example"),
        ("ADMIN_PATH", "admin"),
        ("ADMIN_PATH", "/admin/"),
        ("ADMIN_PATH", "en/"),
        ("ADMIN_PATH", "api/admin/"),
        ("LOG_LEVEL", "LOUD"),
        ("API_RATE", "many"),
        ("API_RATE", "0/min"),
        ("BEHIND_PROXY", "nginx"),
        ("REPORT_URL", "javascript:alert(1)"),
    ],
)
def test_a_bad_value_stops_the_start_with_its_name(
    start: Any, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    if name == "SECRET_KEY_FILE":
        monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match=name):
        start(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "oracle://atlas:hunter2@db/atlas"),
        ("DATABASE_URL", "pg:atlas:hunter2@db/atlas"),
        ("DATABASE_URL", "postgresql://atlas:hunter2/3@db/atlas"),  # what stands before the slash is read as a port
        ("DATABASE_URL", "postgresql://atlas:[hunter2@db/atlas"),
        ("REDIS_URL", "cache://:hunter2@cache:6379/0"),
        ("REDIS_URL", "redis://:hunter2/3@cache:6379/0"),
        ("REDIS_URL", "redis://:a,hunter2@cache:6379/0"),
        ("REDIS_URL", "redis://:[hunter2@cache:6379/0"),
    ],
)
def test_a_bad_address_does_not_show_its_password(start: Any, name: str, value: str) -> None:
    """Nor a part of it, nor in what led to it: a start that fails is logged with its traceback."""
    with pytest.raises(ImproperlyConfigured) as raised:
        start(**{name: value})
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))


def test_by_default_the_site_is_not_in_debug_and_keeps_sqlite_in_wal_mode(start: Any) -> None:
    settings = start()
    assert settings["DEBUG"] is False
    database = settings["DATABASES"]["default"]
    assert database["ENGINE"] == "config.sqlite3"
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]


def test_postgresql_and_redis_by_address(start: Any) -> None:
    settings = start(DATABASE_URL="postgresql://atlas:p%40ss@db:5433/atlas", REDIS_URL="redis://cache:6379/1")
    database = settings["DATABASES"]["default"]
    assert (database["ENGINE"], database["HOST"], database["PORT"], database["NAME"], database["PASSWORD"]) == (
        "config.postgresql",
        "db",
        5433,
        "atlas",
        "p@ss",
    )
    assert settings["CACHES"]["default"]["LOCATION"] == ["redis://cache:6379/1"]
    assert start(REDIS_URL="unix:///run/redis.sock")["REDIS_URL"] == ["unix:///run/redis.sock"]


def test_https_turns_on_all_that_a_public_site_needs(start: Any) -> None:
    settings = start(HTTPS="1")
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] >= 15_768_000  # what scanners ask for: half a year
    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SESSION_COOKIE_NAME"].startswith("__Host-")
    assert settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]["upgrade-insecure-requests"] is True


def test_the_policy_allows_nothing_unsafe(start: Any) -> None:
    directives = start()["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert directives["default-src"] == ["'none'"]
    assert "unsafe" not in str(directives)


def test_a_secret_may_come_from_a_file(start: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET[::-1] + "\n")
    monkeypatch.setenv("ATLAS_SECRET_FILE", str(tmp_path / "secret"))
    assert environment.secret("ATLAS_SECRET", tmp_path / "unused") == SECRET[::-1]
    assert not (tmp_path / "unused").exists()


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    kept = tmp_path / "state" / "secret"
    first = environment.secret("ATLAS_SECRET", kept)
    assert len(first) >= 50
    assert environment.secret("ATLAS_SECRET", kept) == first
    assert kept.stat().st_mode & 0o077 == 0
    assert [*kept.parent.iterdir()] == [kept]
