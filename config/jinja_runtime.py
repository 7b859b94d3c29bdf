"""Two steps that Jinja2 takes a thousand times for a page, without what none of our templates needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

from django.utils.safestring import SafeString
from jinja2 import Environment, Template
from jinja2.runtime import Context
from markupsafe import Markup, escape

ESCAPES = {ord(character): str(escape(character)) for character in "&<>\"'"}


def escaped(value: object) -> str:
    """As `markupsafe.escape`, which makes each piece of a page Markup of its own before all are joined to one text."""
    kind = type(value)
    if kind is str:
        if "&" in value or "<" in value or ">" in value or '"' in value or "'" in value:  # type: ignore[operator]
            return value.translate(ESCAPES)  # type: ignore[attr-defined]
        return value  # type: ignore[return-value]
    if kind is Markup or kind is SafeString:
        return value  # type: ignore[return-value]
    if kind is int or kind is float:
        return str(value)
    return escape(value)


class Calls(Context):
    """Calls what takes neither the context nor the environment, as most do, straight away."""

    def call(self, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if getattr(function, "jinja_pass_arg", None) is not None:
            return super().call(function, *args, **named)
        if named:
            named.pop("_block_vars", None)
            named.pop("_loop_vars", None)
        return function(*args, **named)


class Joined(Template):
    """One text wherever it is included, so that its pieces are not handed up one by one from each template to the next.
    Its code escapes by `escaped`."""

    @classmethod
    def _from_namespace(
        cls, environment: Environment, namespace: MutableMapping[str, Any], *known: MutableMapping[str, Any]
    ) -> Template:
        namespace["escape"], namespace["root"] = escaped, _joined(namespace["root"])
        return super()._from_namespace(environment, namespace, *known)


def _joined(root: Callable[[Context], Iterator[str]]) -> Callable[[Context], Iterator[str]]:
    def joined(context: Context) -> Iterator[str]:
        yield "".join(root(context))

    return joined
