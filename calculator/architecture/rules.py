"""Which scheme each module of a quantised checkpoint is stored in: a default, and rules that go before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from calculator.architecture.patterns import MOST_PATTERNS, WHOLE, Patterns, canonical, slow_one
from calculator.architecture.schemes import named_apart
from calculator.architecture.shape import Scheme
from calculator.architecture.tower_modules import left_out

_NO_MODULE = "model.nothing"  # that only a pattern for all there is matches
Rule = tuple[Sequence[str], Scheme | None]
"""Names and patterns of modules, and their scheme: None where they stay wide."""


@dataclass(frozen=True)
class Rules:
    """The first rule that names a module counts, then `by_module`, then what `experts` have, then `default`.

    `by_module`: single modules by their names, of which a file may list every expert's. Modules outside the layers are
    quantised only where something names them.
    """

    default: Scheme | None = None
    rules: tuple[Rule, ...] = ()
    by_module: Mapping[str, Scheme | None] = field(default_factory=dict)
    experts: Scheme | None = None
    wide_activations: bool = False
    towers: str = ""  # how far `default` reaches into encoders and projectors: "", "layers" or "all"
    unclear: str = ""  # an assumption: what the file does not say


class Matcher:
    """Rules made ready to be asked for many modules. `slow`: a pattern that may take too long to match."""

    def __init__(self, rules: Rules) -> None:
        listed = (*(scheme for _names, scheme in rules.rules), *rules.by_module.values())
        named = named_apart(scheme for scheme in (rules.default, rules.experts, *listed) if scheme is not None)
        self._named: dict[Scheme | None, Scheme | None] = {None: None}
        for scheme, own in named.items():
            self._named[scheme] = own
        self.schemes = tuple(named.values())
        self.slow = slow_one(name for names, _scheme in rules.rules for name in names)
        tests = () if self.slow else tuple(together(rules.rules))
        if len(tests) > MOST_PATTERNS:  # each is asked about every module
            self.slow, tests = tests[MOST_PATTERNS][0][0], ()
        self._tests = tuple((Patterns(names), self._named[scheme]) for names, scheme in tests)
        self._by_module = {canonical(name): scheme for name, scheme in rules.by_module.items()}
        self.towers = self._named[rules.default] if rules.towers else None
        self._in_layers_alone = rules.towers == "layers"
        self._left_out = left_out(
            name.removeprefix(WHOLE) for names, scheme in rules.rules if scheme is None for name in names
        )
        self._default, self._experts = self._named[rules.default], self._named[rules.experts]
        self.by_layer = bool(self._by_module) or any(patterns.by_layer for patterns, _scheme in self._tests)

    def scheme(self, names: Sequence[str], *, is_expert: bool = False) -> Scheme | None:
        """Of a module with these names."""
        for patterns, scheme in self._tests:
            if any(name in patterns for name in names):
                return scheme
        found = next((name for name in _with_parents(names) if name in self._by_module), None)
        if found is not None:
            return self._named[self._by_module[found]]
        return self._experts if is_expert and self._experts is not None else self._default

    def outside(self, names: Sequence[str]) -> Scheme | None:
        """Of a module outside the layers: that of a rule that means it, as no catch-all does."""
        for patterns, scheme in self._tests:
            if any(name in patterns for name in names) and _NO_MODULE not in patterns:
                return scheme
        found = next((name for name in names if name in self._by_module), None)
        return None if found is None else self._named[self._by_module[found]]

    def of_tower(self, role: str, layer: int | None) -> Scheme | None:
        """Of a linear module of an encoder, or of the way from it into the text."""
        if self.towers is None or (layer is None and self._in_layers_alone):
            return None
        return None if self._left_out.holds(role, layer) else self.towers

    def leaves_out(self, names: Sequence[str]) -> bool:
        """Whether a rule keeps a module wide that has one of these names."""
        return any(scheme is None and name in patterns for patterns, scheme in self._tests for name in names)


def together(rules: Iterable[Rule]) -> Iterator[Rule]:
    """Neighbouring rules of one scheme as one, where all their names are plain and none means all there is: a set of
    names takes no longer than a single one."""
    plain: list[str] = []
    of_plain: Scheme | None = None
    for names, scheme in rules:
        if any("*" in name or name.startswith("re:") for name in names) or _NO_MODULE in Patterns(names):
            if plain:
                yield plain, of_plain
            plain = []
            yield names, scheme
            continue
        if plain and scheme != of_plain:
            yield plain, of_plain
            plain = []
        of_plain = scheme
        plain.extend(names)
    if plain:
        yield plain, of_plain


def _with_parents(names: Sequence[str]) -> Iterable[str]:
    """Each name, and what it lies in: a list may name the whole of the experts."""
    for name in names:
        yield name
        while "." in name:
            name = name.rpartition(".")[0]
            yield name


def with_experts(rules: Rules, scheme: Scheme) -> Rules:
    return replace(rules, experts=scheme)
