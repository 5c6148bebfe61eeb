"""What of an answer is kept in the record, and how an answer of today is compared with it."""

import math
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

VOLATILE = (  # question, key path, why no two answers agree on it
    ("*", "*.csrf_token", "random"),
    ("*", "*.token", "random"),
    ("*", "*.code", "random"),
    ("*", "*.login_path", "random"),
    ("*", "*.sign_up_path", "random"),
    ("*", "*.next_cursor", "stands for a row of this very database"),
    ("*", "*.seconds", "how long it took"),
    ("*POST /v1/tokens*", "*.body.id", "random, of a new token"),
    ("*POST /v1/tokens*", "*.tokens.3.id", "random, of a new token, the fourth of ben"),
    ("token *", "*.tokens.0.last_used_at", "noted beside the answer, before it or after"),
    ("mur tokens create*", "*.id", "random, of a new token"),
    ("mur tokens create*", "*.expires", "counted from now"),
    ("mur tokens revoke*", "*.revoked", "now"),
    ("mur models promote*", "*.at", "now"),
    ("mur models promote*", "*.promoted_at", "now"),
    ("mur models rollback*", "*.at", "now"),
    ("mur doctor*", "0.body.checks.0.says", "how much of the disk is free"),
    ("mur models reproduce*", "*.largest_difference", "rounding of this machine, below what is allowed"),
    ("mur models reproduce*", "*.libraries", "which libraries are installed"),
    ("mur models reproduce*", "*.is_same_file", "bytes depend on the version of the exporter"),
    ("mur export*", "*.folder", "where the test runs"),
)

LEFT_OUT = (  # question, key path of what the record has no room for
    ("mur backtest*", "*.reliability"),
    ("mur backtest*", "*.loss_by_hour"),
    ("mur backtest*", "*.move_by_width"),
)

ROUNDED = "computed by a model or fitted anew: equal to the ninth digit"
COMPUTED = (
    "mur train*", "mur backtest*", "mur forecast*", "mur trends*", "mur feed*", "mur models reproduce*",
    "mur models promote*", "*forecasts*", "*trends*", "*watchlist*", "*/predict?*", "*/prediction?*",
)  # fmt: skip


def kept(question: str, answers: list[Any], places: Mapping[str, str]) -> list[Any]:
    """Return answers as they are recorded: folders by name, volatile values by kind, bulk left out.

    `places` are names of folders by their path on this machine.
    """
    volatile = [path for name, path, _ in VOLATILE if fnmatchcase(question, name)]
    left_out = [path for name, path in LEFT_OUT if fnmatchcase(question, name)]
    return [_kept(str(n), answer, (volatile, left_out), dict(places)) for n, answer in enumerate(answers)]


def _kept(path: str, value: Any, rules: tuple[list[str], list[str]], places: dict[str, str]) -> Any:
    volatile, left_out = rules
    if any(fnmatchcase(path, pattern) for pattern in volatile):
        return f"<{_kind(value)}>"
    if isinstance(value, dict):
        paths = {key: f"{path}.{key}" for key in value}
        return {
            key: _kept(paths[key], inner, rules, places)
            for key, inner in value.items()
            if not any(fnmatchcase(paths[key], pattern) for pattern in left_out)
        }
    if isinstance(value, list):
        return [_kept(f"{path}.{n}", inner, rules, places) for n, inner in enumerate(value)]
    if isinstance(value, str):
        for folder, name in places.items():
            value = value.replace(folder, name)
    return value


def differences(question: str, recorded: Any, found: Any) -> list[str]:
    """Return one line per difference; keys that are not in the record may be there."""
    is_computed = any(fnmatchcase(question, pattern) for pattern in COMPUTED)
    return list(_differences("", recorded, found, 1e-9 if is_computed else 1e-12))


def _differences(path: str, recorded: Any, found: Any, tolerance: float) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(found, dict):
        for key, value in recorded.items():
            if key not in found:
                yield f"{path}.{key}: recorded {_short(value)}, is not there any more"
            else:
                yield from _differences(f"{path}.{key}", value, found[key], tolerance)
    elif isinstance(recorded, list) and isinstance(found, list):
        if len(recorded) != len(found):
            yield f"{path}: recorded {len(recorded)} entries, found {len(found)}"
        for n, (before, now) in enumerate(zip(recorded, found, strict=False)):
            yield from _differences(f"{path}.{n}", before, now, tolerance)
    elif not _agree(recorded, found, tolerance):
        yield f"{path}: recorded {_short(recorded)}, found {_short(found)}"


def _agree(recorded: Any, found: Any, tolerance: float) -> bool:
    if isinstance(recorded, float) and isinstance(found, int | float) and not isinstance(found, bool):
        return math.isclose(recorded, found, rel_tol=tolerance, abs_tol=tolerance if tolerance > 1e-12 else 0)
    return type(recorded) is type(found) and bool(recorded == found)


def _kind(value: Any) -> str:
    kinds = {bool: "yes or no", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "nothing")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
