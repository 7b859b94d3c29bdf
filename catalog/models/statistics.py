"""What the database knows of how many rows there are: by it it chooses how to join."""

from __future__ import annotations

from django.apps import apps
from django.db import connection


def renew_statistics() -> None:
    """To be called after many rows were written at once.

    PostgreSQL looks by itself only minutes later, and joins large tables row by row until then; SQLite never does.
    """
    tables = ""  # all of them: SQLite takes one name or none
    if connection.vendor == "postgresql":
        found = apps.get_app_config("catalog").get_models()
        tables = ", ".join(connection.ops.quote_name(model._meta.db_table) for model in found)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}")
