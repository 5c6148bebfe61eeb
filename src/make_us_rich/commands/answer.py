"""How a command reads its surroundings and gives its answer."""

import logging
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Protocol, get_args, runtime_checkable

import orjson
import structlog
from pydantic import BaseModel, SecretStr, ValidationError

from make_us_rich.errors import UsageError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.settings import Settings

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY


@runtime_checkable
class Told(Protocol):
    """A result whose JSON is laid out otherwise than its fields."""

    def to_json(self) -> object:
        """Return it in JSON types."""
        ...


def answer(result: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result as one JSON object, or its wording, on stdout."""
    if as_json:
        sys.stdout.write(to_json(result).decode() + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def to_json(result: object) -> bytes:
    """Return a typed result as JSON: moments in UTC with a Z, null for what is undefined.

    What says itself how it is told, with a method `to_json`, is told that way.
    """
    content = result.to_json() if isinstance(result, Told) else result
    return orjson.dumps(content, default=_plain, option=_OPTIONS)


def say(line: str) -> None:
    """Print one line beside the answer, on stderr."""
    sys.stderr.write(f"{line}\n")  # in one piece, because threads and other processes write to it as well
    sys.stderr.flush()


def begin() -> Settings:
    """Return the settings of this machine, and send the log to stderr; every command begins with it."""
    settings = _read_settings()
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.dev.set_exc_info,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
            # the traceback structlog writes by default shows local variables, so passwords and tokens too
            structlog.dev.ConsoleRenderer(
                colors=_is_coloured(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    return settings


def wall_now() -> datetime:
    """Return the present moment; this is where a command learns it."""
    return datetime.now(UTC)


def parse_series(symbols: Iterable[str], timeframe: str) -> list[tuple[Symbol, Timeframe]]:
    """Read symbols and the timeframe they share."""
    return [(Symbol.parse(text), Timeframe.parse(timeframe)) for text in symbols]


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Told):
        return value.to_json()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _is_coloured() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stderr.isatty()


def _read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "MUR_" + "_".join(str(part) for part in first["loc"]).upper()
        value = "" if _is_secret(str(first["loc"][0])) else f"={first['input']}"
        finding = f"{name}{value}: {first['msg']}; correct it in the environment or in .env"
    raise UsageError(finding)  # not from the other error, which --verbose would print with every value in it


def _is_secret(setting: str) -> bool:
    field = Settings.model_fields.get(setting)
    return field is not None and SecretStr in {field.annotation, *get_args(field.annotation)}
