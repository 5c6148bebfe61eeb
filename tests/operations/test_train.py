from datetime import UTC, datetime, timedelta

import pytest

import toy_kind
from make_us_rich.errors import ExperimentError, NotEnoughHistoryError, UnknownNameError, UsageError
from make_us_rich.forecasting import kinds
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.operations.fetch import FetchOrder, fetch
from make_us_rich.operations.progress import unwatched
from make_us_rich.operations.reproduce import reproduce
from make_us_rich.operations.requests import TrainRequest, split_targets
from make_us_rich.operations.train import train
from make_us_rich.operations.workplace import Workplace
from make_us_rich.settings import Settings
from trainings import here

NOW = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = ["toy.BTC-USDT.1h", "toy.ETH-USDT.1h"]


@pytest.fixture
def settings(tmp_path):
    """A desk with a month of simulated hours of two pairs."""
    settings = Settings(home=tmp_path / "home")
    pairs = [(Symbol(base, "USDT"), Timeframe("1h")) for base in ("BTC", "ETH")]
    fetch(FetchOrder(pairs, "simulated", "30d", None), settings, NOW, unwatched)
    return settings


@pytest.fixture
def toy():
    """An installed package brings the kind `toy`."""
    with kinds.KINDS.offering("toy", toy_kind.ToyKind):
        kinds.known_kinds.cache_clear()
        yield
    kinds.known_kinds.cache_clear()


def ask(*symbols, **changes):
    return TrainRequest(market="simulated", symbols=symbols, preset="toy", **changes)


def test_a_kind_from_outside_is_trained_by_its_name(toy, settings):
    (model,) = train(ask("BTC/USDT"), settings, NOW).models
    assert (model.name, model.version, model.promoted) == (NAMES[0], 1, True)
    assert model.reasons == ("promoted: no champion stands before it", "it is a toy")
    shelf = Workplace(settings, "simulated").shelf()
    assert shelf.load(NAMES[0], 1).model > 0
    assert shelf.champion(NAMES[0]).version == 1


def test_several_of_it_are_trained_side_by_side_and_one_that_fails_stops_no_other(toy, settings):
    said = []
    asked = ask("ETH/USDT", "BTC/USDT", "DOGE/USDT")
    result = train(asked, settings, NOW, said.append, here)
    assert [model.name for model in result.models] == NAMES
    (failure,) = result.failed
    assert failure.name == "toy.DOGE-USDT.1h"
    assert "no candles are stored" in failure.reason
    assert result.pooled is None
    assert "toy.BTC-USDT.1h: version 1, promoted (0 s)" in said


def test_every_stored_pair_can_be_asked_for(toy, settings):
    result = train(ask(all_stored=True), settings, NOW, unwatched, here)
    assert [model.name for model in result.models] == NAMES


def test_a_file_of_its_kind_is_read_by_its_trainer(toy, settings, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("kind: toy\nsymbol: BTC/USDT\nsince: 5d\n")
    (model,) = train(TrainRequest(market="simulated", file=file), settings, NOW).models
    manifest = Workplace(settings, "simulated").shelf().manifest(model.name, 1)
    assert manifest.snapshot.rows == 120


def test_the_same_recipe_takes_over_on_newer_candles_and_not_on_the_same(toy, settings):
    train(ask("BTC/USDT", until="2023-12-30"), settings, NOW)
    (same,) = train(ask("BTC/USDT", until="2023-12-30"), settings, NOW).models
    assert same.reasons[0] == "kept back: version 1 is this experiment on these candles"
    (newer,) = train(ask("BTC/USDT"), settings, NOW + timedelta(hours=1)).models
    assert newer.reasons[0] == "promoted: refresh: proven on folds that reach its newer data"


def challenge(settings, tmp_path, loss, now=NOW):
    file = tmp_path / "mine.yaml"
    file.write_text(f"kind: toy\nsymbol: BTC/USDT\nloss: {loss}\n")
    (model,) = train(TrainRequest(market="simulated", file=file), settings, now).models
    return model


def test_another_recipe_has_to_be_better_than_the_champions_and_is_judged_once_a_week(
    toy, settings, tmp_path
):
    train(ask("BTC/USDT"), settings, NOW)
    worse = challenge(settings, tmp_path, 1.1)
    assert worse.reasons[0].startswith("kept back: challenge: loss +10.00% against the champion's recipe")
    soon = challenge(settings, tmp_path, 0.9, NOW + timedelta(days=6))
    assert "at most one a week" in soon.reasons[0]
    later = challenge(settings, tmp_path, 0.9, NOW + timedelta(days=8))
    assert later.promoted, later.reasons
    kinds_of_decision = [one.kind for one in Workplace(settings, "simulated").shelf().decisions(NAMES[0])]
    assert kinds_of_decision == ["first", "challenge", "challenge", "challenge"]


def test_a_model_of_it_is_made_again(toy, settings):
    train(ask("BTC/USDT"), settings, NOW)
    made = reproduce(Workplace(settings, "simulated"), NAMES[0], unwatched)
    assert made.is_reproduced
    assert made.is_same_file


def test_one_experiment_that_cannot_be_trained_raises_what_stands_in_its_way(settings):
    with pytest.raises(NotEnoughHistoryError, match="training needs"):
        train(TrainRequest(market="simulated", symbols=("BTC/USDT",)), settings, NOW)
    with pytest.raises(UnknownNameError, match="no candles are stored"):
        train(TrainRequest(market="simulated", symbols=("DOGE/USDT",)), settings, NOW)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (TrainRequest(symbols=("BTC/USDT",), preset="prophet"), "choose one of lstm, .*, trend$"),
        (TrainRequest(symbols=("BTC/USDT",), direction="up"), "take --preset trend, found --preset lstm"),
        (TrainRequest(symbols=("BTC/USDT",), preset="trend", direction="sideways"), "choose up or down"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_done(settings, request_, said):
    with pytest.raises(UsageError, match=said):
        train(request_, settings, NOW)


def test_a_file_of_an_unknown_kind_names_the_known_ones(settings, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text("kind: tides\nsymbol: BTC/USDT\n")
    with pytest.raises(ExperimentError, match="kind 'tides' is not known; choose one of price, trend"):
        train(TrainRequest(file=file), settings, NOW)


def test_targets_are_pairs_or_one_file():
    assert split_targets(["BTC/USDT", "ETH/USDT"]) == (("BTC/USDT", "ETH/USDT"), None)
    assert split_targets(["mine.yaml"])[1].name == "mine.yaml"
    with pytest.raises(UsageError, match=r"not mine\.yaml and BTC/USDT"):
        split_targets(["mine.yaml", "BTC/USDT"])
