from datetime import UTC, datetime

import pytest

from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft

NAME = "price.BTC-USDT.1h"
UNTIL = "2024-01-01"


@pytest.fixture
def shelf(settings):
    """Two versions of a toy model in the replay market, the first one served."""
    shelf = Workplace(settings, "replay").shelf()
    for spread in (0.01, 0.02):
        shelf.shelve(toy_draft(model=ToyPriceModel(spread=spread)))
    shelf.promote(NAME, 1, "better than persistence", datetime(2024, 3, 2, tzinfo=UTC))
    return shelf


def test_training_answers_in_the_agreed_shape(mur):
    answer = mur(
        *("train", "BTC/USDT", "--timeframe", "1h", "--source", "simulated", "--preset", "volatility"),
        *("--since", "300d", "--until", UNTIL, "--json"),
    )
    record = answer.record
    assert answer.status == 0
    assert set(record) == {"name", "version", "promoted", "reasons", "seconds", "evidence"}
    assert (record["name"], record["version"]) == (NAME, 1)
    assert record["reasons"]
    assert [row["horizon"] for row in record["evidence"]] == [1, 2, 4, 8, 12, 24]
    baselines = {"persistence", "ewma_persistence", "volatility"}
    for row in record["evidence"]:
        assert set(row["skill"]) == set(row["p_value"]) == baselines
        assert {"folds", "blocks", "n", "skill_sd", "coverage_90", "coverage_se", "served_by"} < set(row)
    assert "Training price.BTC-USDT.1h: " in answer.err


def test_two_trainings_of_a_past_take_place_in_it_and_agree(mur, simulated_year):
    span = ("--since", "250d", "--until", UNTIL)
    arguments = ("train", "BTC/USDT", "--market", "simulated", "--preset", "volatility", *span)
    first, second = mur(*arguments, "--json").record, mur(*arguments, "--json").record
    shown = [mur("models", "show", f"{NAME}@{version}", "--json").record for version in (1, 2)]
    assert first["evidence"] == second["evidence"]
    assert {record["manifest"]["trained_at"] for record in shown} == {"2024-01-01T00:00:00Z"}
    assert shown[0]["manifest"]["files"]["golden.npz"] == shown[1]["manifest"]["files"]["golden.npz"]


def test_an_experiment_file_trains_a_network_and_says_why_it_was_kept_or_promoted(
    mur, simulated_year, tmp_path
):
    file = tmp_path / "small.yaml"
    file.write_text(
        f"symbol: BTC/USDT\nsince: 250d\nuntil: {UNTIL}\n"
        "lstm: {hidden: 4, epochs: 1, window: 8, batch_size: 1024}\n"
    )
    answer = mur("train", str(file), "--market", "simulated")
    assert answer.status == 0, answer.err
    assert answer.out.startswith(f"{NAME} version 1: ")
    assert "h=1: " in answer.out
    assert "skill against persistence" in answer.out
    assert mur("models", "show", NAME, "--json").record["manifest"]["model"] == "lstm"


def test_what_is_stored_is_trained_on_without_asking_a_source(mur, simulated_year):
    answer = mur("train", "BTC/USDT", "--market", "simulated", "--preset", "volatility", "--since", "250d")
    assert answer.status == 0, answer.err
    assert "Fetching" not in answer.err
    assert mur("models", "show", NAME, "--json").record["manifest"]["data_end"] == "2024-01-01T00:00:00Z"


def test_a_source_of_another_market_is_refused(mur):
    answer = mur("train", "BTC/USDT", "--source", "simulated", "--market", "live")
    assert (answer.status, answer.out) == (2, "")
    assert "simulated market, not to live" in answer.line


def test_an_empty_shelf_says_what_is_served_instead(mur):
    assert "baselines are served" in mur("models", "list", "--market", "replay").out


def test_the_list_names_what_is_served_and_why(mur, shelf):
    text = mur("models", "list", "--market", "replay").out
    assert NAME in text
    assert "better than persistence" in text
    (record,) = mur("models", "list", "--market", "replay", "--json").record["models"]
    assert (record["versions"], record["champion"]["version"]) == ([1, 2], 1)


def test_show_tells_the_served_version_from_another(mur, shelf):
    assert "version 1 (toy), served now" in mur("models", "show", NAME, "--market", "replay").out
    assert mur("models", "show", f"{NAME}@2", "--market", "replay", "--json").record["is_champion"] is False


def test_promote_and_rollback_move_the_pointer_and_are_recorded(mur, shelf):
    assert mur("models", "promote", f"{NAME}@2", "--market", "replay").out == (
        f"{NAME}: version 2 is served now (promoted by hand).\n"
    )
    back = mur("models", "rollback", NAME, "--market", "replay", "--json").record
    assert (back["version"], back["previous"]) == (1, 2)
    assert [(decision.version, decision.kind) for decision in shelf.decisions(NAME)] == [
        (2, "manual"),
        (1, "rollback"),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "price.DOGE-USDT.1h"), ("DOGE", "there are: price.BTC-USDT.1h")),
        (("show", f"{NAME}@7"), ("no version 7", "there are: 1, 2")),
        (("show", f"{NAME}@x"), ("not a number",)),
        (("show", "../../etc/passwd"), ("not of the form",)),
        (("promote", NAME), ("say which version",)),
        (("rollback", f"{NAME}@1"), ("mur models promote",)),
        (("rollback", NAME), ("no previous champion",)),
    ],
)
def test_a_model_that_is_not_there_gets_a_way_out(mur, shelf, arguments, words):
    answer = mur("models", *arguments, "--market", "replay")
    assert (answer.status, answer.out) == (2, "")
    assert [word for word in words if word not in answer.line] == []


def test_an_experiment_file_may_ask_for_more_than_candles(mur, candles_folder, tmp_path):
    file = tmp_path / "inputs.yaml"
    file.write_text(
        "symbol: BTC/USDT\nsince: 260d\ninputs: [trades, market_volatility]\n"
        "lstm: {hidden: 4, epochs: 1, window: 8, batch_size: 1024}\n"
    )
    answer = mur("train", str(file), "--source", f"replay:{candles_folder / 'BINANCE'}")
    assert answer.status == 0, answer.err
    manifest = mur("models", "show", f"{NAME}@1", "--json").record["manifest"]
    assert manifest["experiment"]["inputs"] == ["trades", "market_volatility"]
    reproduced = mur("models", "reproduce", f"{NAME}@1", "--market", "replay")
    assert reproduced.status == 0, reproduced.err


def test_a_source_that_tells_no_trades_is_refused_in_one_line(mur, simulated_year, tmp_path):
    file = tmp_path / "inputs.yaml"
    file.write_text(f"symbol: BTC/USDT\nsince: 250d\nuntil: {UNTIL}\ninputs: [trades]\n")
    answer = mur("train", str(file), "--market", "simulated")
    assert answer.status == 1
    assert "BTC/USDT 1h from simulated tells no trades; drop `trades` from inputs" in answer.line
