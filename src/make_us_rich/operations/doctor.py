"""Is this machine fit to run the desk, and is what lies on it whole?"""

import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from make_us_rich.database.engine import database_url, open_database
from make_us_rich.database.joining import list_joined
from make_us_rich.database.old_homes import OldHome, find_old_homes
from make_us_rich.database.schema import MIGRATE_COMMAND, has_tables, head_revision, require_current
from make_us_rich.database.tables import JoinedHome
from make_us_rich.errors import DataError, MakeUsRichError
from make_us_rich.market.dates import format_moment
from make_us_rich.market.quality import check_quality, require_fit
from make_us_rich.operations.home_database import has_database
from make_us_rich.operations.workplace import MARKETS, Workplace
from make_us_rich.registry.mlflow import MlflowMirror
from make_us_rich.settings import Settings

Verdict = Literal["ok", "warning", "failed"]
_LEAST_FREE_BYTES = 1_000_000_000
_EXCHANGE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `says` names the thing, what was found and, unless all is well, the way out."""

    name: str
    verdict: Verdict
    says: str


@dataclass(frozen=True, slots=True)
class Examination:
    """Every finding."""

    checks: tuple[Check, ...]

    @property
    def has_failed(self) -> bool:
        """Whether something has to be repaired."""
        return any(check.verdict == "failed" for check in self.checks)


def examine(settings: Settings, now: datetime) -> Examination:
    """Look at the folder, the database, the candles, the models, the training extra and the exchange."""
    checks = [_examine_home(settings.home.expanduser()), _examine_training_extra()]
    checks += _guarded("database", partial(_examine_database, settings))
    for market in MARKETS:
        place = Workplace(settings, market)
        checks += _guarded(f"{market} candles", partial(_examine_candles, place, now))
        checks += _guarded(f"{market} models", partial(_examine_models, place))
        checks += _examine_mirror(place)
    checks += _guarded("exchange", partial(_examine_exchange, settings))
    return Examination(tuple(checks))


def _guarded(name: str, examination: Callable[[], Iterator[Check]]) -> list[Check]:
    # what one part cannot tell must not hide what the others can
    found: list[Check] = []
    try:
        for check in examination():
            found.append(check)  # noqa: PERF402 -- what was found before an error is kept
    except MakeUsRichError as error:
        found.append(Check(name, "failed", str(error)))
    return found


def _examine_home(home: Path) -> Check:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        if not there.is_dir():
            raise NotADirectoryError(f"{there} is not a folder")
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"0")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Check(
            "home",
            "failed",
            f"{home}: {error.strerror or error}; set MUR_HOME to a folder that can be written",
        )
    free = shutil.disk_usage(there).free
    if free < _LEAST_FREE_BYTES:
        return Check("home", "warning", f"{home}: {free / 1e9:.1f} GB free; make room before training")
    return Check("home", "ok", f"{home}: can be written, {free / 1e9:,.0f} GB free")


def _examine_database(settings: Settings) -> Iterator[Check]:
    if not has_database(settings):
        return
    yield from (_waiting(home) for home in find_old_homes(settings))
    database = open_database(database_url(settings))
    try:
        if not has_tables(database):
            return
        require_current(database)
        yield Check("database", "ok", f"{database.label} has schema {head_revision()}")
        for joined in list_joined(database):
            yield Check(f"joined {joined.market}", "ok", _joined_in_words(joined))
    finally:
        database.close()


def _waiting(home: OldHome) -> Check:
    says = (
        f"{home.path} is of an earlier version and not in use; `{MIGRATE_COMMAND}` joins it with the home's"
    )
    return Check(f"{home.market} database", "warning", says)


def _joined_in_words(joined: JoinedHome) -> str:
    names = joined.known_users.split()
    known = f" ({', '.join(names)} had an account here already)" if names else ""
    return (
        f"{joined.file}, {joined.joined_at:%Y-%m-%d}: {joined.users} users{known}, {joined.tokens} tokens, "
        f"{joined.forecasts:,} forecasts"
    )


def _examine_training_extra() -> Check:
    missing = [name for name in ("torch", "lightning", "onnx") if importlib.util.find_spec(name) is None]
    if missing:
        says = f"{', '.join(missing)} not installed, so this machine only serves"
        return Check("training", "warning", f"{says}; pip install 'make-us-rich[train]' to train")
    return Check("training", "ok", "torch, lightning and onnx are installed")


def _examine_candles(place: Workplace, now: datetime) -> Iterator[Check]:
    store = place.store()
    for series in store.series():
        report = check_quality(store.load(series), series.symbol, series.timeframe, now)
        name = f"{place.market} {series.source} {series}"
        try:
            require_fit(report)
        except DataError as error:
            yield Check(name, "warning", str(error))
            continue
        end = format_moment(report.last + series.timeframe.duration) if report.last else "never"
        yield Check(name, "ok", f"{report.present:,} candles to {end}, {report.missing} missing")


def _examine_models(place: Workplace) -> Iterator[Check]:
    shelf = place.shelf()
    for name in shelf.names():
        champion = shelf.champion(name)
        if champion is None:
            yield Check(
                name, "ok", f"{len(shelf.versions(name))} on the shelf, none promoted; the baseline is served"
            )
            continue
        try:
            shelf.load(name, champion.version)
        except MakeUsRichError as error:
            yield Check(name, "failed", str(error))
            continue
        yield Check(name, "ok", f"version {champion.version} is served and reproduces its stored outputs")


def _examine_mirror(place: Workplace) -> list[Check]:
    # a mirror is for people to look at: whatever is wrong with it, the desk itself is fit
    name = f"{place.market} MLflow"
    mirror = MlflowMirror(place.home / "mlflow")
    if place.settings.tracking != "mlflow" or not mirror.exists():
        return []
    try:
        differences = mirror.differences(place.shelf())
    except Exception as error:  # MLflow and its database raise many kinds
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        return [
            Check(name, "warning", f"{mirror.folder}: cannot be read ({reason}); the shelf is not affected")
        ]
    way_out = "the shelf decides; the next training or promotion of that name moves the alias back"
    found = [Check(name, "warning", f"{difference}; {way_out}") for difference in differences]
    return found or [Check(name, "ok", "every alias shows what is served")]


def _examine_exchange(settings: Settings) -> Iterator[Check]:
    from make_us_rich.market.sources.exchange import CLOCK_TOLERANCE, ExchangeSource

    source = ExchangeSource(settings.exchange, url=settings.exchange_url, budgets=settings.budgets)
    if source.is_reachable(_EXCHANGE_SECONDS):
        offset = source.clock_offset() or timedelta(0)
        is_right = abs(offset) <= CLOCK_TOLERANCE
        clock = f"{source.name} answers, its clock is {offset.total_seconds():+,.1f} s from ours"
        advice = [] if is_right else ["set the time of this machine"]
        says = "; ".join([clock, *source.status().sentences(), *advice])
        yield Check("exchange", "ok" if is_right else "warning", says)
        return
    says = f"{source.name} did not answer within {_EXCHANGE_SECONDS:.0f} s"
    yield Check("exchange", "warning", f"{says}; replay and the simulated market need no network")
