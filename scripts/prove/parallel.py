"""Twenty parallel trainings share no path, leave no work files, and MLflow holds each exactly once."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from make_us_rich.desk.progress import ProgressReport
from make_us_rich.market.candle import as_candles
from make_us_rich.operations.experiments import Asked, Origin
from make_us_rich.operations.requests import TrainResult
from make_us_rich.operations.train import train_several
from make_us_rich.operations.workplace import Workplace
from make_us_rich.registry.mlflow import MlflowMirror
from make_us_rich.settings import Settings
from make_us_rich.training.parallel import process_executors
from make_us_rich.training.price.experiment import PriceExperiment, preset_experiment
from make_us_rich.training.trainers import find_by_preset, resolve_trainer

REPOSITORY = Path(__file__).parents[2]
SINCE, UNTIL = "2023-01-01", "2024-04-01"  # all sixteen hourly pairs have candles then
COUNT = 20
PRICE = find_by_preset("price")


def main() -> int:
    """Fetch and train in a fresh home, print what was found, and return 0 only if every promise is kept."""
    arguments = _parse_arguments()
    resolve_trainer(PRICE)  # torch makes its cache among the temporary files as it is loaded, once a machine
    with tempfile.TemporaryDirectory() as folder:
        place = _clear_place(Path(folder))
        experiments = choose_experiments(arguments, Path(folder) / "recorded")
        began = time.monotonic()
        trained = train_all(place, experiments, arguments.workers)
        seconds = time.monotonic() - began
        print(f"{len(experiments)} trainings, {arguments.workers} processes, {seconds:.0f} s")
        verdicts = list(judge(place, trained, [experiment.name for experiment in experiments]))
        os.chdir(REPOSITORY)
    print("\n".join(f"{'kept  ' if kept else 'BROKEN'}  {text}" for kept, text in verdicts))
    return 0 if all(kept for kept, _ in verdicts) else 1


def choose_experiments(arguments: argparse.Namespace, recorded: Path) -> list[PriceExperiment]:
    """Return one experiment per hourly pair, and as many of four hours as are needed to fill the count."""
    pairs = sorted(path.parent.name for path in arguments.candles.glob("*/1h.parquet"))[: arguments.count]
    for pair in pairs:
        (recorded / pair).mkdir(parents=True)
        candles = as_candles(pl.read_parquet(arguments.candles / pair / "1h.parquet"))
        candles.write_parquet(recorded / pair / "1h.parquet")
        _four_hours(candles).write_parquet(recorded / pair / "4h.parquet")
    series = [(pair, "1h") for pair in pairs] + [(pair, "4h") for pair in pairs]
    options = {"source": f"replay:{recorded}", "since": SINCE, "until": UNTIL}
    return [
        preset_experiment(arguments.preset, pair, timeframe=timeframe, **options)
        for pair, timeframe in series[: arguments.count]
    ]


def train_all(place: Workplace, experiments: list[PriceExperiment], workers: int) -> TrainResult:
    """Train what `mur train` would train, in the same way."""
    asked = Asked(PRICE, tuple(experiments))
    origin = Origin(place.settings, None, datetime.now(UTC))
    with ProgressReport() as progress:
        return train_several(asked, origin, progress, process_executors(workers))


def judge(place: Workplace, trained: TrainResult, names: list[str]) -> Iterator[tuple[bool, str]]:
    """Say of each promise whether it is kept."""
    shelf, mirror = place.shelf(), MlflowMirror(place.home / "mlflow")
    once = {name: ["1"] for name in names}
    snapshots = {shelf.load(name, 1).manifest.snapshot.hash for name in shelf.names()}
    stray = [*Path.cwd().iterdir(), *Path(tempfile.gettempdir()).iterdir()]
    stray += [path for path in (place.home / "shelf").rglob(".*") if path.name != ".lock"]
    folders = sorted(path.name for path in place.home.iterdir())
    yield not trained.failed, f"no training failed: {trained.failed or 'none did'}"
    yield {name: [str(v) for v in shelf.versions(name)] for name in shelf.names()} == once, "one version each"
    yield len(snapshots) == len(names), f"{len(snapshots)} snapshots, one of its own for each"
    yield not stray, f"no work files: {', '.join(str(path) for path in stray) or 'none'}"
    yield folders == ["candles", "mlflow", "shelf", "snapshots"], f"the home holds {', '.join(folders)}"
    yield mirror.versions() == once, "MLflow holds each exactly once"
    yield mirror.differences(shelf) == [], "every alias shows what is served"


def _clear_place(folder: Path) -> Workplace:
    # a current folder and a place for temporary files of their own show whatever is left behind
    for name in ("work", "temporary"):
        (folder / name).mkdir()
    os.chdir(folder / "work")
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder / "temporary")
    return Workplace(Settings(home=folder / "home", tracking="mlflow"), "replay")


def _four_hours(candles: pl.DataFrame) -> pl.DataFrame:
    merged = candles.group_by_dynamic("open_time", every="4h").agg(
        pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close"), pl.sum("volume")
    )
    return as_candles(merged)


def _parse_arguments() -> argparse.Namespace:
    default = REPOSITORY / os.environ.get("MUR_CANDLES", "../shared/data/candles") / "BINANCE"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--candles", type=Path, default=default.resolve(), help="folder BASE-QUOTE/1h.parquet"
    )
    parser.add_argument("--count", type=int, default=COUNT, help="how many trainings")
    parser.add_argument("--preset", default="volatility", help="recipe")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
