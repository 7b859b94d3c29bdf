"""Logging in: how often one may be wrong, from where, and with a code from an app."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

PASSWORD = "correct horse battery"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner", password=PASSWORD)


def log_in(password: str, address: str = HERE, username: str = "owner", **headers: Any) -> Any:
    sent = {"username": username, "password": password}
    return Client().post(reverse("admin:login"), sent, REMOTE_ADDR=address, headers=headers)


def lock() -> None:
    for _turn in range(settings.AXES_FAILURE_LIMIT):
        log_in("wrong")


def test_the_sixth_try_is_not_looked_at(owner: User) -> None:
    """Five wrong ones lock it, for a quarter of an hour: docs/deployment.md."""
    for _turn in range(4):
        assert log_in("wrong").status_code == 200
    assert log_in("wrong").status_code == 429
    refused = log_in(PASSWORD)
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    assert "Too many wrong passwords" in refused.content.decode()
    assert "密码错误次数过多" in log_in(PASSWORD, accept_language="zh-CN").content.decode()


def test_nobody_locks_the_owner_out(owner: User) -> None:
    """Whoever knows a name can lock it for their own address alone."""
    lock()
    assert log_in(PASSWORD, ELSEWHERE).status_code == 302
    assert log_in("any", username="another").status_code == 200, "nor anybody else who comes from there"


def test_it_ends_however_often_one_tries_meanwhile(owner: User) -> None:
    lock()
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert log_in(PASSWORD).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert log_in(PASSWORD).status_code == 302


def test_being_right_starts_anew(owner: User) -> None:
    for _turn in range(3):
        for _wrong in range(settings.AXES_FAILURE_LIMIT - 1):
            log_in("wrong")
        assert log_in(PASSWORD).status_code == 302


@pytest.mark.parametrize("password", ["elevencharz", "owner-owner-owner", "123456789qwerty"])
def test_passwords_that_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="owner-owner-owner"))


@pytest.mark.parametrize("password", [PASSWORD, "十二个汉字就够长了对不对", "1" * 3 + "x" * 90])
def test_passwords_that_are_taken(password: str) -> None:
    validate_password(password)


def test_a_session_is_new_with_each_login_and_ends_with_the_browser(owner: User) -> None:
    client, sent = Client(), {"username": "owner", "password": PASSWORD}
    keys = set()
    for _turn in range(2):
        client.post(reverse("admin:logout"))
        client.post(reverse("admin:login"), sent)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        keys.add(cookie.value)
        assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")
    assert len(keys) == 2
    assert settings.SESSION_COOKIE_AGE <= 12 * 3600


def test_a_new_password_ends_other_sessions(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    owner.set_password("another long password")
    owner.save()
    assert client.get(reverse("admin:index")).status_code == 302


def test_no_code_without_the_setting(owner: User) -> None:
    with pytest.raises(CommandError, match="Set TOTP=1"):
        call_command("totp", "owner")


SECOND_STEP = """
import django
django.setup()
from django.conf import settings
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # nothing was collected
settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
from io import StringIO
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice
call_command("migrate", verbosity=0)
User.objects.create_superuser("owner", password="correct horse battery")
def log_in(code, language="en"):
    sent = {"username": "owner", "password": "correct horse battery", "otp_token": code}
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", sent, headers={"accept-language": language}, secure=False)
    home = client.get("/admin/")
    assert "otp_totp" not in home.content.decode() and "otp_static" not in home.content.decode()  # nor their secrets
    return answer, home.status_code
answer, seen = log_in("123456")
assert seen == 302 and "no app for codes yet" in answer.content.decode(), answer.content.decode()
out = StringIO()
call_command("totp", "owner", stdout=out)
recovery = out.getvalue().split()[-1]
assert "otpauth://totp/" in out.getvalue() and "issuer=Model%20Atlas" in out.getvalue()
answer, seen = log_in("", "zh-hans")
assert seen == 302 and 'autocomplete="one-time-code"' in answer.content.decode()
device = TOTPDevice.objects.get()
code = f"{totp(device.bin_key):06d}"
answer, seen = log_in(code)
assert seen == 200, answer.content.decode()
answer, seen = log_in(code)
assert seen == 302, "a code works once"
assert log_in(recovery)[1] == 200
assert log_in(recovery)[1] == 302, "so does a recovery code"
assert "correct horse" not in answer.content.decode()
print("done")
"""


def test_a_code_from_an_app(tmp_path: Path) -> None:
    """In a process of its own: which applications there are is settled at the start."""
    (tmp_path / "site.sqlite3").touch()
    environment = os.environ | {
        "TOTP": "1",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}",
        "ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }
    command = [sys.executable, "-c", SECOND_STEP]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=settings.BASE_DIR, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
