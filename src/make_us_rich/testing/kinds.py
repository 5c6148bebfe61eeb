"""The contract of a kind of forecast, tried on a small simulated market."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson
import polars as pl

from make_us_rich.forecasting.forecast import Forecast, ForecastStep
from make_us_rich.forecasting.kind import (
    ForecastKind,
    KnownCandles,
    Question,
    Served,
    ShelvedModels,
    Subject,
)
from make_us_rich.forecasting.market_view import MarketView
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.series import Series
from make_us_rich.market.sources.simulated import SimulatedSource
from make_us_rich.market.store import CandleStore
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.models.quantiles import QUANTILE_LEVELS
from make_us_rich.registry.model_name import ModelName
from make_us_rich.registry.shelf import Shelf
from make_us_rich.testing.promise import require

_END = datetime.fromisoformat("2024-01-01T00:00:00+00:00")
_PAIRS = (Symbol("BTC", "USDT"), Symbol("ETH", "USDT"))
_HOURS, _DAYS = timedelta(days=420), timedelta(days=900)
_LONGEST_QUESTION = 128
_LONGEST_YARDSTICK = 16
_LONGEST_NAME = 96
_LONGEST_SPEAKER = 32


def check_kind(kind: ForecastKind, timeframe: str = "1h") -> None:
    """Raise an `AssertionError` with a sentence where a kind breaks the promises of `ForecastKind`.

    The kind has to have at least one name on a market of two stored pairs, on candles of `timeframe`; it is
    tried as it answers before any model is shelved.
    """
    _check_identity(kind)
    with TemporaryDirectory() as folder:
        view = _market(Path(folder), Timeframe.parse(timeframe), kind)
        _check_json(kind.card(None), "card(None)")
        subjects = [one for one in kind.subjects(view) if one.series is not None]
        require(bool(subjects), f"subjects() must name a forecast on stored candles of {timeframe}")
        for subject in subjects:
            _check_subject(kind, view, subject)


def _market(folder: Path, timeframe: Timeframe, kind: ForecastKind) -> MarketView:
    store, source = CandleStore(folder / "candles"), SimulatedSource()
    since = _END - (_DAYS if timeframe.candles_per_day == 1 else _HOURS)
    for symbol in _PAIRS:
        pages = list(source.fetch(symbol, timeframe, since, _END))
        store.append(pl.concat(pages), Series(source.name, symbol, timeframe))
    types = {kind.name: kind.artifact} if kind.artifact is not None else {}
    shelf = Shelf(folder / "shelf", "simulated", types)
    return MarketView("simulated", store, shelf, ReplayClock(_END, _END, None))


def _check_identity(kind: ForecastKind) -> None:
    name = ModelName(kind.name, Symbol("BTC", "USDT"), Timeframe("1h"))
    require(ModelName.parse(str(name)) == name, f"the kind's name {kind.name!r} must be small letters")
    require(
        (kind.trainer is None) == (kind.artifact is None),
        "a kind with an artifact names its trainer, a derived kind has neither",
    )
    if kind.trainer is not None:
        module, colon, name_of = kind.trainer.partition(":")
        require(bool(module and colon and name_of), "the trainer is written as module:object")
    require(len(set(kind.yardsticks)) == len(kind.yardsticks) > 0, "a kind names at least one yardstick")
    short = all(len(name) <= _LONGEST_YARDSTICK for name in kind.yardsticks)
    require(short, f"the journal has room for yardsticks of {_LONGEST_YARDSTICK} letters")


def _check_subject(kind: ForecastKind, view: MarketView, subject: Subject) -> None:
    models = ShelvedModels(others=dict.fromkeys(kind.reads(subject)))
    require(subject.owner is None or kind.has_owners, "a kind whose names have owners says so: has_owners")
    require(subject.name.kind == kind.name, f"{subject.name} must begin with the kind's name, {kind.name}")
    require(ModelName.parse(str(subject.name)) == subject.name, f"{subject.name} must read back as itself")
    short = len(str(subject.name)) <= _LONGEST_NAME
    require(short, f"the journal has room for names of {_LONGEST_NAME} letters, not for {subject.name}")
    needs = kind.needs(subject, models)
    require(bool(needs) and needs[0].series == subject.series, "needs() begins with the name's own series")
    cutoff = _END - 2 * max(kind.horizons(models)) * subject.name.timeframe.duration
    known = _known(view, kind, subject, cutoff)
    forecast = kind.forecast(subject, cutoff, known, models)
    require(forecast == kind.forecast(subject, cutoff, known, models), "the same candles forecast the same")
    _check_forecast(kind, subject, cutoff, forecast, models)
    _check_actuals(kind, view, subject, forecast)
    _check_json(kind.answer(Served(forecast, models)), "answer()")
    require(kind.looks_back(subject.name) >= timedelta(0), "looks_back() is a span before a cutoff")
    for step in forecast.steps:
        require(kind.block(subject.name, step.horizon) > timedelta(0), "block() is a span of time")


def _check_json(told: object, what: str) -> None:
    try:
        orjson.dumps(told, option=orjson.OPT_UTC_Z)
    except TypeError as error:
        raise AssertionError(f"{what} is told in JSON types ({error})") from error


def _known(view: MarketView, kind: ForecastKind, subject: Subject, cutoff: datetime) -> KnownCandles:
    needs = kind.needs(subject, ShelvedModels())
    frames: Mapping[Series, pl.DataFrame] = {
        need.series: view.closed_candles(need.series, need.count, cutoff, with_trades=need.with_trades)
        for need in needs
    }
    return KnownCandles(view.market, frames)


def _check_forecast(
    kind: ForecastKind, subject: Subject, cutoff: datetime, forecast: Forecast, models: ShelvedModels
) -> None:
    require(
        (forecast.name, forecast.cutoff, forecast.owner) == (subject.name, cutoff, subject.owner),
        "a forecast carries the name, cutoff and owner it was asked for",
    )
    horizons = tuple(step.horizon for step in forecast.steps)
    require(horizons == tuple(kind.horizons(models)), "the steps are those of horizons(), in order")
    require(forecast.version is None, "without a champion the version is None")
    require(forecast.question == kind.question(models), "the question is that of question()")
    require(len(forecast.question or "") <= _LONGEST_QUESTION, "a question is short enough for the journal")
    require(len(forecast.input_hash) == 64, "input_hash is a SHA-256; `forecasting.inputs` computes it")
    require(kind.yardsticks[0] in forecast.yardsticks, f"{kind.yardsticks[0]} stands beside every forecast")
    beside = (step for steps in forecast.yardsticks.values() for step in steps)
    for step in (*forecast.steps, *beside):
        _check_step(step, cutoff, subject)
    for step in forecast.steps:
        require(
            step.is_baseline and step.served_by in kind.baselines,
            "without a champion one of the kind's baselines answers, and says so",
        )


def _check_step(step: ForecastStep, cutoff: datetime, subject: Subject) -> None:
    target = cutoff + step.horizon * subject.name.timeframe.duration
    short = len(step.served_by) <= _LONGEST_SPEAKER
    require(short, f"the journal has room for {_LONGEST_SPEAKER} letters in served_by")
    require(step.horizon > 0 and step.target_time == target, "a target lies its horizon after the cutoff")
    if step.quantiles is not None:
        values = np.asarray(step.quantiles)
        is_rising = len(values) == len(QUANTILE_LEVELS) and bool((np.diff(values) >= 0).all())
        require(is_rising and bool((values > 0).all()), "quantiles are 13 rising prices")
    if step.probability is not None:
        require(0 <= step.probability <= 1, "a probability lies between 0 and 1")


def _check_actuals(kind: ForecastKind, view: MarketView, subject: Subject, forecast: Forecast) -> None:
    questions = [
        Question(forecast.cutoff, step.horizon, step.target_time, forecast.question)
        for step in forecast.steps
    ]
    since = forecast.cutoff - kind.looks_back(subject.name)
    series = [need.series for need in kind.needs(subject, ShelvedModels())]
    after = KnownCandles(view.market, {one: view.candles.load(one, since) for one in series})
    found = kind.actuals(subject.name, questions, after)
    require(set(found) == set(questions), "actuals() answers every question whose candles are there")
    before = KnownCandles(
        view.market, {one: view.candles.load(one, since, forecast.cutoff) for one in series}
    )
    early = kind.actuals(subject.name, questions, before)
    require(not early, "actuals() answers nothing before the target's candle is there")
