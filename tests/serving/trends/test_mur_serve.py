"""Trends of a real `mur serve` in its own process: what it imports, and how soon it follows a promotion."""

import time

import pytest

from serving.test_mur_serve import FORBIDDEN, PATIENCE_SECONDS, MurServe, ask
from trend_desk import TrendDesk, daily_candles


def served_by(connection):
    status, answer = ask(connection, "/v1/trends?direction=up")
    assert status == 200
    return [one["served_by"] for one in answer["trends"]]


@pytest.mark.slow
def test_trends_are_served_without_the_training_and_a_promotion_is_followed(tmp_path):
    desk = TrendDesk(tmp_path / "replay").add_days(daily_candles())
    desk.shelve_trend(changes={"served_by": "random_walk"})
    served = MurServe(tmp_path, "-X", "importtime")
    connection = served.connect()
    try:
        assert served_by(connection) == ["random_walk"]
        desk.promote_trend()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while served_by(connection) != ["toy"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        for path in ("/v1/trends/SOL-USDT", "/v1/models/trend-up.SOL-USDT.1d", "/models"):
            assert ask(connection, path)[0] == 200
        status, answer = ask(connection, "/prediction?symbol=SOL&trend_type=uptrend")
        assert (status, set(answer)) == (200, {"prediction_probabilities", "symbol", "trend_type"})
    finally:
        connection.close()
        assert served.stop() == 0
    imported = {line.rsplit("|", 1)[1].strip() for line in served.lines if line.startswith("import time:")}
    assert {"talib._ta_lib", "onnxruntime"} <= imported
    loaded = {name for name in imported if name.split(".")[0] in FORBIDDEN | {"scipy"}}
    assert loaded <= {"pandas"}, "TA-Lib asks for it and is refused; loaded, it would bring its modules along"
