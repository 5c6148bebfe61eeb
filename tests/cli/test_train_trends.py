import polars as pl
import pytest

from make_us_rich.forecasting.kinds import open_shelf

YAML = """
kind: trend
symbol: {symbol}
candidates: [Ridge, LightGBM]
source: {source}
"""


@pytest.fixture
def experiment(tmp_path, candles_folder):
    def write(symbol="SOL/USDT"):
        path = tmp_path / "trend.yaml"
        path.write_text(YAML.format(symbol=symbol, source=f"replay:{candles_folder / 'BINANCE'}"))
        return path

    return write


def test_a_pool_from_real_candles_is_judged_against_every_baseline(mur, experiment, home):
    record = mur("train", str(experiment()), "--json").record
    assert {model["name"] for model in record["models"]} == {"trend-up.SOL-USDT.1d", "trend-down.SOL-USDT.1d"}
    for model in record["models"]:
        by_name = {one["forecaster"]: one for one in model["evidence"]}
        assert {"Ridge", "LightGBM", "pool", "base_rate", "momentum", "random_walk"} == set(by_name)
        assert set(by_name["Ridge"]["skill"]) == {"base_rate", "momentum", "random_walk"}
        worse = [p for p in by_name["pool"]["p_value"].values() if p >= 0.05]
        assert not (model["promoted"] and worse)
    assert set(record["pooled"]) == {"up", "down"}
    shelf = open_shelf(home / "replay" / "shelf", "replay")
    assert shelf.names() == ["trend-down.SOL-USDT.1d", "trend-up.SOL-USDT.1d"]
    assert (shelf.folder("trend-up.SOL-USDT.1d", 1) / "explain.json").is_file()


def test_one_direction_may_be_asked_for(mur, experiment):
    record = mur("train", str(experiment()), "--direction", "down", "--json").record
    assert [model["name"] for model in record["models"]] == ["trend-down.SOL-USDT.1d"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("BTC/USDT", "--direction", "up"), "--direction belongs to trends; take --preset trend"),
        (("BTC/USDT", "--preset", "trend", "--direction", "sideways"), "choose up or down"),
    ],
)
def test_a_wrong_direction_is_one_clear_line(mur, arguments, said):
    answer = mur("train", *arguments)
    assert answer.status == 2
    assert said in answer.line
    assert len(answer.err.splitlines()) == 1


def test_the_table_says_who_won_and_who_serves(mur, experiment):
    answer = mur("train", str(experiment()))
    assert answer.status == 0
    assert "trend-up.SOL-USDT.1d" in answer.out
    assert "2 trained, " in answer.out
    assert "All" not in answer.out  # there is one coin


def test_coins_without_enough_history_are_named(mur, candles_folder):
    answer = mur(
        "train",
        "ICP/USDT",
        "BTC/USDT",
        "--preset",
        "trend",
        "--direction",
        "up",
        "--since",
        "2021-05-10",
        "--until",
        "2022-06-01",
        "--source",
        f"replay:{candles_folder / 'BINANCE'}",
        "--json",
    )
    assert answer.status == 1
    assert not answer.record["models"]
    assert {one["name"] for one in answer.record["failed"]} == {
        "trend-up.ICP-USDT.1d",
        "trend-up.BTC-USDT.1d",
    }
    assert all("a trend model needs about" in one["reason"] for one in answer.record["failed"])


def write_coin(folder, base, candles):
    (folder / f"{base}-USDT").mkdir(parents=True)
    candles.write_parquet(folder / f"{base}-USDT" / "1d.parquet")


def test_bad_coins_are_skipped_with_one_line_each_and_the_good_one_is_finished(mur, candles_folder, tmp_path):
    good = pl.read_parquet(candles_folder / "BINANCE" / "SOL-USDT" / "1d.parquet")
    folder = tmp_path / "BAD"
    write_coin(folder, "GOOD", good)
    write_coin(folder, "YOUNG", good.tail(60))
    write_coin(folder, "HOLE", pl.concat([good[:1500], good[1530:]]))
    long = pl.read_parquet(candles_folder / "BINANCE" / "BTC-USDT" / "1d.parquet")
    write_coin(folder, "MONTH", pl.concat([long[:2000], long[2030:]]))  # less than one day in a hundred
    write_coin(
        folder,
        "FLAT",
        good.with_columns(pl.lit(1.0).alias(name) for name in ("open", "high", "low", "close")),
    )
    answer = mur(
        "train", "--all", "--preset", "trend", "--direction", "up", "--source", f"replay:{folder}", "--json"
    )
    assert answer.status == 1
    assert [model["name"] for model in answer.record["models"]] == ["trend-up.GOOD-USDT.1d"]
    reasons = {one["name"].split(".")[1]: one["reason"] for one in answer.record["failed"]}
    assert "a trend model needs about" in reasons["YOUNG-USDT"]
    assert "missing" in reasons["HOLE-USDT"]
    assert "30 candles missing after" in reasons["MONTH-USDT"]
    assert "is the price constant?" in reasons["FLAT-USDT"] or "have the label 0" in reasons["FLAT-USDT"]
    assert all("\n" not in reason for reason in reasons.values())


def test_an_event_that_never_comes_is_one_line(mur, experiment):
    path = experiment()
    path.write_text(path.read_text() + "label: {threshold: 0.9}\n")
    answer = mur("train", str(path), "--json")
    assert answer.status == 1
    assert {one["name"] for one in answer.record["failed"]} == {
        "trend-up.SOL-USDT.1d",
        "trend-down.SOL-USDT.1d",
    }
    assert all("have the label 0" in one["reason"] for one in answer.record["failed"])


def test_a_backtest_of_trends_says_where_it_is_made(mur):
    answer = mur("backtest", "BTC/USDT", "--preset", "trend")
    assert answer.status == 2
    assert "run `mur train --preset trend`" in answer.line


def test_a_shelf_that_cannot_take_one_model_keeps_the_others(mur, experiment, home):
    broken = home / "replay" / "shelf" / "trend-down.SOL-USDT.1d"
    broken.mkdir(parents=True)
    (broken / "champion.json").write_text("garbage")
    answer = mur("train", str(experiment()), "--json")
    assert answer.status == 1
    assert [model["name"] for model in answer.record["models"]] == ["trend-up.SOL-USDT.1d"]
    (failure,) = answer.record["failed"]
    assert failure["name"] == "trend-down.SOL-USDT.1d"
    assert "champion.json" in failure["reason"]
