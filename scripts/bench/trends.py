"""What a cold start of 50 trend models costs: loading, candles, indicators and both directions of 25 coins.

Each round is a new process that has imported the service and nothing else: it opens the shelf, verifies and
loads every model, reads the stored candles, and makes every forecast. The models are the ten candidates, fit
once on a random walk and exported, spread over 50 names; half of them are in service, the others stand beside
the baseline, so that all 50 are run. With a desk (`--home DIR --market replay`) its own shelf is taken.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROUNDS = 5
COINS = 25
N_CANDLES = 2_000
END = datetime(2026, 4, 30, tzinfo=UTC)
LARGEST_SECONDS = 2.0
FORBIDDEN = {"sklearn", "torch", "xgboost", "lightgbm", "shap", "scipy", "pandas", "mlflow"}
ROUND = """
import json, sys, time
began = time.perf_counter()
from make_us_rich.market.series import Series
from make_us_rich.commands.answer import begin, wall_now
from make_us_rich.commands.trends import made_trends
from make_us_rich.operations.workplace import resolve_workplace
imported = time.perf_counter()
found = made_trends(resolve_workplace(sys.argv[1], begin()), None, wall_now())
done = time.perf_counter()
print(json.dumps({
    "seconds": done - imported,
    "import_seconds": imported - began,
    "trends": len(found.trends),
    "models": sum(one.model.version is not None or one.challenger is not None for one in found.trends),
    "memory_mb": next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if "VmHWM" in line),
    "loaded": sorted({name.split(".")[0] for name in sys.modules}),
}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--home", type=Path, help="a MUR_HOME with trained trends; default: a made-up one")
    parser.add_argument("--market", default="replay")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or make_home(Path(folder))
        rounds = [run_round(home, options.market) for _ in range(options.rounds)]
    seconds = statistics.median(one["seconds"] for one in rounds)
    loaded = sorted(FORBIDDEN & {name for one in rounds for name in one["loaded"]})
    print(
        f"{rounds[0]['models']} models, {rounds[0]['trends']} trends: {seconds:.2f} s (median of "
        f"{len(rounds)} cold starts, slowest {max(one['seconds'] for one in rounds):.2f} s), imports "
        f"{statistics.median(one['import_seconds'] for one in rounds):.2f} s, "
        f"{max(one['memory_mb'] for one in rounds):.0f} MB; of the training loaded: {loaded or 'nothing'}"
    )
    return 0 if seconds <= LARGEST_SECONDS and not loaded else 1


def run_round(home: Path, market: str) -> dict:
    environment = os.environ | {"MUR_HOME": str(home), "MUR_LOG_LEVEL": "warning"}
    ran = subprocess.run(
        [sys.executable, "-c", ROUND, market], env=environment, stdout=subprocess.PIPE, check=True, cwd=home
    )
    return json.loads(ran.stdout)


# -- a made-up desk ----------------------------------------------------------------------------------


def make_home(home: Path) -> Path:
    from make_us_rich.market.series import Series
    from make_us_rich.market.symbol import Symbol
    from make_us_rich.market.timeframe import Timeframe
    from make_us_rich.operations.workplace import Workplace
    from make_us_rich.settings import Settings

    place = Workplace(Settings(home=home), "replay")
    models = fit_candidates()
    for i in range(COINS):
        symbol = Symbol(f"COIN{i}", "USDT")
        place.store().append(random_walk(i), Series("random-walk", symbol, Timeframe("1d")))
        for direction in ("up", "down"):
            name, content = models[i % len(models)]
            shelve(place.shelf(), str(symbol), direction, name, content)
    return home


def random_walk(seed: int):
    import numpy as np
    import polars as pl

    numbers = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(numbers.normal(0, 0.04, N_CANDLES)))
    first, day = END - N_CANDLES * timedelta(days=1), timedelta(days=1)
    times = pl.datetime_range(first, END - day, day, time_unit="ms", eager=True)
    high, low = (
        close * (1 + numbers.uniform(0, 0.03, N_CANDLES)),
        close * (1 - numbers.uniform(0, 0.03, N_CANDLES)),
    )
    volume = numbers.lognormal(size=N_CANDLES)
    return pl.DataFrame(
        {"open_time": times, "open": close, "high": high, "low": low, "close": close, "volume": volume}
    )


def fit_candidates() -> list[tuple[str, bytes]]:
    import numpy as np

    from make_us_rich.features.indicators import WARM_UP, indicator_matrix
    from make_us_rich.features.trend_labels import TrendLabel, trend_labels
    from make_us_rich.market.candle import CandleArrays
    from make_us_rich.models.classifiers.candidates import CLASSIFIERS, fit_classifier
    from make_us_rich.models.classifiers.export import export_classifier

    ohlcv = CandleArrays.from_frame(random_walk(99)).ohlcv
    features = indicator_matrix(ohlcv).astype(np.float32)[WARM_UP:-10]
    labels = trend_labels(ohlcv, TrendLabel(), "up")[WARM_UP:-10]
    return [
        (name, export_classifier(fit_classifier(name, features, labels, seed=7, embargo=10)))
        for name in CLASSIFIERS
    ]


def shelve(shelf, symbol: str, direction: str, name: str, content: bytes) -> None:
    from make_us_rich.registry.artifact import ArtifactDraft
    from make_us_rich.testing.trend_artifacts import golden_of, toy_trend_draft

    is_served = direction == "up"
    served_by = name if is_served else "random_walk"
    draft = toy_trend_draft("replay", symbol, direction, changes={"model": name, "served_by": served_by})
    payloads = dict(draft.payloads) | {"model.onnx": content, "golden.npz": golden_of(content)}
    version = shelf.shelve(ArtifactDraft(draft.manifest, payloads))
    if is_served:
        shelf.promote(draft.manifest.name, version, "to be measured", END)


if __name__ == "__main__":
    sys.exit(main())
