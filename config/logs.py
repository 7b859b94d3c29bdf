"""What is written to the log."""

from __future__ import annotations

import logging


class RefusalsInOneLine(logging.Filter):
    """A request that was refused (403, an unknown host) is no fault of the code: no traceback shows where it was."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True
