from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import transaction

from catalog.models import LanguageModel
from tests.catalog.best_models.ranked import rank


@pytest.fixture
def ranked(shipped: None) -> Iterator[None]:
    """All shipped models ranked overall, the largest first, and in coding, the smallest first."""
    with transaction.atomic():
        rows = list(LanguageModel.objects.order_by("-total_parameters"))
        rank("overall", rows)
        rank("coding", rows[::-1])
        yield
        transaction.set_rollback(True)
