"""Names for parts that can be exchanged: our own, and those that installed packages bring.

A package brings a part by an entry point of a group (`make_us_rich.sources`, `.features`, `.models`,
`.kinds`). A part is imported when it is asked for by its name, and not before.
"""

import difflib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from make_us_rich.errors import UnknownNameError, UsageError

Part = TypeVar("Part")


class Registry(Generic[Part]):
    """Parts of one sort by name: `builtin`, and the entry points of `group`.

    A part of ours is given as it is, or as the text `module:object`. Where a package offers a name of ours,
    ours stands, with a warning.

    >>> numbers = Registry("make_us_rich.numbers", {"pi": "math:pi", "two": 2})
    >>> [numbers.resolve(name) for name in numbers]
    [3.141592653589793, 2]
    """

    def __init__(self, group: str, builtin: Mapping[str, Part | str]) -> None:
        self.group = group
        self.noun = group.rpartition(".")[2].removesuffix("s")
        self._builtin = dict(builtin)

    def names(self) -> tuple[str, ...]:
        """Return every name, ours first; nothing is imported."""
        return (*self._builtin, *(name for name in installed(self.group) if name not in self._builtin))

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()

    def resolve(self, name: str) -> Part:
        """Return the part of a name; an `UnknownNameError` says which name may have been meant."""
        points = installed(self.group)
        if name in self._builtin:
            if name in points:
                _warn_once(self.group, name, points[name].value)
            given = self._builtin[name]
            part: Part = load_object(given) if isinstance(given, str) else given
            return part
        if name not in points:
            raise self.unknown(name)
        brought: Part = _load(points[name], self.noun)
        return brought

    @contextmanager
    def offering(self, name: str, part: Part) -> Iterator[None]:
        """Offer one more part for the length of a block, as a check or a test does; threads share it."""
        before = self._builtin
        self._builtin = {**before, name: part}
        try:
            yield
        finally:
            self._builtin = before

    def unknown(self, name: str) -> UnknownNameError:
        """Build the error for a name nobody has."""
        names = self.names()
        close = difflib.get_close_matches(name, names, n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        return UnknownNameError(f"{self.noun} {name!r} is not known; {meant}there are {', '.join(names)}")


def load_object(text: str) -> Any:
    """Import what a text `module:object` names."""
    module, _, name = text.partition(":")
    return getattr(import_module(module), name)


@cache
def installed(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of a group by name; packages are looked through once."""
    return {point.name: point for point in entry_points(group=group)}


def _load(point: EntryPoint, noun: str) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        line = " ".join(str(error).split())
        package = f" of {point.dist.name}" if point.dist else ""
        raise UsageError(
            f"{noun} {point.name}{package} cannot be loaded ({line}); update or remove the package"
        ) from error


@cache
def _warn_once(group: str, name: str, value: str) -> None:
    warnings.warn(
        f"{value} offers {name!r} in {group}, which is a name of Make Us Rich; ours is used", stacklevel=4
    )
