import time
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.errors import UnknownNameError
from make_us_rich.market.quality import check_quality, require_fit
from make_us_rich.market.sources import SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.testing import check_candle_source

BITCOIN = Symbol("BTC", "USDT")
EPOCH = datetime(2022, 1, 1, tzinfo=UTC)
YEARS_LATER = datetime(2027, 1, 1, tzinfo=UTC)


def fetch(
    timeframe: str, since: datetime, until: datetime, *, seed: int = 0, source: SimulatedSource | None = None
) -> pl.DataFrame:
    source = source or SimulatedSource(seed)
    return pl.concat(source.fetch(BITCOIN, Timeframe(timeframe), since, until))


@pytest.fixture(scope="module")
def five_years() -> pl.DataFrame:
    return fetch("1h", EPOCH, YEARS_LATER)


@pytest.mark.parametrize("timeframe", ["1m", "1h", "4h", "1d"])
def test_the_simulated_market_keeps_the_contract_of_a_source(timeframe):
    since = datetime(2023, 12, 30, tzinfo=UTC)
    check_candle_source(SimulatedSource(), BITCOIN, Timeframe(timeframe), since, since + timedelta(days=9))


def test_the_past_never_changes_whatever_window_is_asked_for(five_years):
    since, until = datetime(2024, 2, 28, 7, tzinfo=UTC), datetime(2024, 3, 9, 16, tzinfo=UTC)
    inner = five_years.filter(pl.col("open_time").is_between(since, until, closed="left"))
    assert fetch("1h", since, until).equals(inner)


def test_the_same_seed_gives_the_same_market_and_another_seed_another():
    window = (EPOCH, EPOCH + timedelta(days=3))
    assert fetch("5m", *window, seed=7).equals(fetch("5m", *window, seed=7))
    assert not fetch("5m", *window, seed=7).equals(fetch("5m", *window, seed=8))
    assert SimulatedSource(7).name == "simulated-7", "or their candles would mix in the store"
    assert SimulatedSource().name == "simulated"
    with pytest.raises(ValueError, match="negative"):
        SimulatedSource(-1)


@pytest.mark.parametrize("timeframe", ["5m", "30m", "1h", "8h", "1d"])
def test_timeframes_agree_with_the_minutes_they_are_made_of(timeframe):
    source = SimulatedSource()
    since, until = datetime(2024, 1, 5, tzinfo=UTC), datetime(2024, 1, 8, tzinfo=UTC)
    minutes = fetch("1m", since, until, source=source)
    merged = minutes.group_by_dynamic("open_time", every=timeframe).agg(
        pl.col("open").first(),
        pl.col("high").max(),
        pl.col("low").min(),
        pl.col("close").last(),
        pl.col("volume").sum(),
    )
    candles = fetch(timeframe, since, until, source=source)
    assert candles.drop("volume").equals(merged.drop("volume"))
    assert np.allclose(candles["volume"], merged["volume"], rtol=1e-9)


@pytest.mark.parametrize("symbol", SimulatedSource().symbols(Timeframe("1h")), ids=str)
def test_every_coin_is_fit_to_learn_from(symbol):
    hourly = Timeframe("1h")
    since = datetime(2025, 1, 1, tzinfo=UTC)
    candles = pl.concat(SimulatedSource().fetch(symbol, hourly, since, YEARS_LATER))
    report = check_quality(candles, symbol, hourly, YEARS_LATER)
    require_fit(report)
    assert (report.missing, report.zero_volume.count) == (0, 0)


def test_volatility_clusters_and_follows_the_hour_of_the_day(five_years):
    size = five_years["close"].log().diff().abs().drop_nulls().to_numpy()
    for lag in (1, 6, 24):
        assert np.corrcoef(size[lag:], size[:-lag])[0, 1] > 0.15
    by_hour = (
        five_years.with_columns(spread=(pl.col("high") / pl.col("low")).log())
        .group_by(pl.col("open_time").dt.hour())
        .agg(pl.col("spread").mean())
        .sort("open_time")["spread"]
    )
    assert by_hour.arg_max() in range(13, 18)
    assert by_hour.max() > 1.5 * by_hour.min()


def test_volume_follows_volatility(five_years):
    spread = (five_years["high"] / five_years["low"]).log().log()
    turnover = (five_years["volume"] * five_years["close"]).log()
    assert np.corrcoef(spread, turnover)[0, 1] > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_no_direction_can_be_predicted_from_the_past(seed):
    hours = fetch("1h", EPOCH, YEARS_LATER, seed=seed)
    ups = (hours["close"].log().diff().drop_nulls().to_numpy() > 0).astype(float)
    limit = 4 / np.sqrt(len(ups))  # four standard errors of a fair coin
    assert abs(ups.mean() - 0.5) < limit / 2
    for lag in (1, 2, 24, 168):
        assert abs(np.corrcoef(ups[lag:], ups[:-lag])[0, 1]) < limit


def test_five_years_take_less_than_a_second_and_the_next_call_next_to_nothing():
    source = SimulatedSource()
    begun = time.process_time()
    fetch("1h", EPOCH, YEARS_LATER, source=source)
    generated = time.process_time()
    fetch("1h", EPOCH, YEARS_LATER, source=source)
    assert generated - begun < 1.0
    assert time.process_time() - generated < 0.2


def test_nothing_is_older_than_the_epoch(hourly):
    assert (
        fetch("1h", datetime(2015, 1, 1, tzinfo=UTC), EPOCH + timedelta(hours=3))["open_time"].item(0)
        == EPOCH
    )
    before = SimulatedSource().fetch(BITCOIN, hourly, datetime(2015, 1, 1, tzinfo=UTC), EPOCH)
    assert list(before) == []


def test_an_unknown_coin_is_answered_with_the_close_ones(hourly):
    with pytest.raises(UnknownNameError, match=r"simulated has no BTX/USDT; did you mean .*BTC/USDT"):
        SimulatedSource().fetch(Symbol("BTX", "USDT"), hourly, EPOCH, YEARS_LATER)
