from datetime import timedelta
from pathlib import Path

from make_us_rich.registry.shelf import Shelf
from make_us_rich.training.experiment import preset_experiment
from make_us_rich.training.train import train_price_model


def test_a_refresh_on_newer_candles_takes_over_once_a_week(take, volatility_only, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "replay")
    old, new = take(until="2026-03-01"), take(until="2026-04-20")
    first = train_price_model(volatility_only, old, shelf, old.data_end)
    assert first.promoted
    second = train_price_model(volatility_only, new, shelf, new.data_end)
    assert second.promoted, second.reasons[0]
    assert second.reasons[0].startswith("promoted: refresh: loss")
    assert shelf.champion(first.name).previous == first.version

    newest = take(until="2026-04-24")
    third = train_price_model(volatility_only, newest, shelf, new.data_end + timedelta(days=4))
    assert not third.promoted
    assert "at most one a week" in third.reasons[0]


def test_a_challenge_that_is_not_better_is_kept_back(take, volatility_only, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "replay")
    old, new = take("2025-03-01", "2026-01-10"), take("2025-03-01", "2026-04-20")
    train_price_model(volatility_only, old, shelf, old.data_end)
    challenger = preset_experiment("volatility", "BTC/USDT", horizons=[1, 2, 4])
    result = train_price_model(challenger, new, shelf, new.data_end)
    assert not result.promoted
    assert result.reasons[0].startswith("kept back: challenge: loss")


def test_a_broken_champion_does_not_stand_in_the_way(take, volatility_only, tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, "replay")
    old, new = take(until="2026-03-01"), take(until="2026-04-20")
    first = train_price_model(volatility_only, old, shelf, old.data_end)
    (shelf.folder(first.name, first.version) / "model.onnx").write_bytes(b"broken")
    second = train_price_model(volatility_only, new, shelf, new.data_end)
    assert second.promoted
    assert "cannot be used" in second.reasons[0]
