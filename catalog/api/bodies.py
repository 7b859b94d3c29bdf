"""What is sent to the API, read within the bounds of a config.json before anybody looks at it: read as JSON alone, 8 MB
of brackets take seconds and hundreds of MB."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser

from calculator.architecture import ConfigError, parse_config_text

BEYOND = frozenset({"too_large", "too_deep", "too_many", "number_too_long"})


class Bodies(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        """What is beyond the bounds is stood for by an empty config: the view asks `sent`, which says what is wrong."""
        asked: Any = request
        try:
            asked.sent = parse_config_text(request.body)
        except ConfigError as error:
            if error.reason not in BEYOND:
                return super().parse_body(request)
            asked.sent = error
            return {"config": {}}
        return asked.sent


def sent(request: HttpRequest) -> dict[str, object]:
    """The body. Raises ConfigError where it is beyond the bounds, or holds what is no config (`parse_config_text`)."""
    found: dict[str, object] | ConfigError | None = getattr(request, "sent", None)
    if isinstance(found, ConfigError):
        raise found
    return parse_config_text(request.body) if found is None else found
