"""gunicorn's own lines with LOG_FORMAT=json: its start and end, a worker that died, a request that is none."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from config.logs import Json


class JsonLogger(Logger):
    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(Json())
