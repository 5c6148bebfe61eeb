"""From what a training was asked for to experiments, and to the candles they ask about."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.market.dates import parse_moment
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.market.sources import RecordedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.history import SpanQuery, resolve_origin, snapshot_series
from make_us_rich.operations.market_candles import add_market
from make_us_rich.operations.progress import Progress
from make_us_rich.operations.requests import DEFAULT_PRESET, TrainRequest
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings
from make_us_rich.training.experiment_file import parse_content, read_text
from make_us_rich.training.fits import Experiment
from make_us_rich.training.trainers import (
    DEFAULT_KIND,
    find_by_file_kind,
    find_by_preset,
    resolve_trainer,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Experiments of one trainer, which stands at `trainer`."""

    trainer: str
    experiments: tuple[Experiment, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where and when a request is worked off."""

    settings: Settings
    market: str | None
    now: datetime


def read_experiments(request: TrainRequest, settings: Settings) -> Asked:
    """Return one experiment per pair, or the one of a file; what the request gives wins over it."""
    if request.file is not None:
        return _read_file(request, request.file)
    preset = request.preset or DEFAULT_PRESET
    text = find_by_preset(preset)
    _check_direction(request, text, f"--preset {preset}")
    trainer, changes = resolve_trainer(text), request.changes
    pairs = request.symbols
    if request.all_stored:
        timeframe = request.timeframe or trainer.usual_timeframe
        pairs = tuple(all_pairs(settings, request.market, request.source, timeframe))
    return Asked(text, tuple(trainer.preset(preset, pair, changes) for pair in pairs))


def all_pairs(settings: Settings, market: str | None, source: str | None, timeframe: str) -> list[str]:
    """Return every pair a recording holds, or whose candles are stored in the market that is meant."""
    place, origin = resolve_origin(settings, market, source)
    wanted = Timeframe.parse(timeframe)
    if isinstance(origin, RecordedSource):
        return [str(symbol) for symbol in origin.symbols(wanted)]
    found = {str(one.symbol) for one in place.store().series() if one.timeframe == wanted}
    if not found:
        raise UnknownNameError(
            f"no {wanted} candles are stored in the {place.market} market; `mur fetch SYMBOL…` gets some"
        )
    return sorted(found)


def take_experiment_snapshot(
    asked: Asked, experiment: Experiment, origin: Origin, progress: Progress
) -> tuple[Workplace, Snapshot]:
    """Return the checked candles an experiment asks about, fetched first where it names a source."""
    place, source = resolve_origin(origin.settings, origin.market, experiment.source)
    pair = (Symbol.parse(experiment.symbol), Timeframe.parse(experiment.timeframe))
    query = SpanQuery(experiment.since, experiment.until, origin.now)
    snapshot = snapshot_series(place, source, pair, query, progress)
    trainer = resolve_trainer(asked.trainer)
    if symbols := trainer.market_symbols(experiment):
        reads = trainer.market_reads(experiment)
        snapshot = add_market(place, source, snapshot, symbols, progress, reads=reads)
    return place, snapshot


def training_moment(place: Workplace, until: str | None, now: datetime) -> datetime:
    """Return when a training takes place: in a past that is played, that is where its candles end."""
    if place.market == "live" or until is None:
        return now
    return min(now, parse_moment(until))


def _read_file(request: TrainRequest, path: Path) -> Asked:
    origin = str(path)
    content = parse_content(read_text(path), origin)
    text = find_by_file_kind(str(content.get("kind", DEFAULT_KIND)), origin)
    _check_direction(request, text, origin)
    return Asked(text, (resolve_trainer(text).parse({**content, **request.changes}, origin),))


def _check_direction(request: TrainRequest, trainer: str, found: str) -> None:
    if request.direction is None:
        return
    known = resolve_trainer(trainer).directions
    if not known:
        raise UsageError(f"--direction belongs to trends; take --preset trend, found {found}")
    if request.direction not in known:
        raise UsageError(
            f"direction {request.direction!r} is not known; choose {' or '.join(known)}, "
            "or leave it out for both"
        )
