from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.catalog.field import ranked_field
from tests.catalog.sample import DataFolder
from tests.catalog.shipped import shipped, whole

__all__ = ["shipped", "whole"]


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture(scope="module")
def module_field(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), ranked_field():
        yield


@pytest.fixture
def field(module_field: None, db: None) -> None:
    """Forty models, ranked once for the module; what a test changes is rolled back."""
