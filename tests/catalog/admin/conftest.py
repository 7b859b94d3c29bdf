"""An editor before the sample of the catalogue."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from catalog import sync
from catalog.source import load


@pytest.fixture
def editor(folder: Any, client: Client) -> Client:
    sync.sync(load(folder.path))
    client.force_login(User.objects.create_superuser("editor"))
    return client
