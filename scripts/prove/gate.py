"""The controls of the gate: does the rule pass what it should and nothing else? About an hour.

i: two equally good forecasters; ii: walks on which nothing can be forecast; iii: walks whose width can be
forecast, but no direction; iv: trends on both kinds of walk; v: planted leaks. docs/gate.md tells what each
shows. With --output, finished parts are kept as JSON lines and a second run goes on from there.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.controls.direction import LOCATED, with_location
from make_us_rich.evaluation.controls.findings import LeakFinding, WalkFinding, find_on_walk, p_value
from make_us_rich.evaluation.controls.leaks import PLANTED_FEATURES, leaking_inputs, leaking_table
from make_us_rich.evaluation.controls.size import SizeCount, TwoForecasters, count_passes
from make_us_rich.evaluation.controls.tally import (
    Line,
    error_lines,
    leak_lines,
    lively_lines,
    size_line,
    still_lines,
    table,
)
from make_us_rich.evaluation.controls.trends import TrendFinding, trend_lines
from make_us_rich.evaluation.controls.walks import (
    HOURLY,
    ORACLE,
    SYMBOL,
    ControlWalk,
    simulate_walk,
    with_oracle,
)
from make_us_rich.evaluation.evidence import gather_evidence
from make_us_rich.evaluation.leakage import LeakReport, check_leakage
from make_us_rich.evaluation.scores import horizon_scores, implausible
from make_us_rich.evaluation.walk_forward import run_walk_forward
from make_us_rich.features.feature_set import compute_features, known_features
from make_us_rich.market.sources.walk import STILL, Climate
from make_us_rich.models.price_features import WARM_UP
from make_us_rich.models.quantiles import BASELINES
from make_us_rich.operations.leaks import check_everything
from make_us_rich.registry.promotion import judge_horizon
from make_us_rich.training.price.experiment import preset_experiment
from make_us_rich.training.price.trial import run_trial
from make_us_rich.training.trend.control import try_trends

CONTROLS = ("i", "ii", "iii", "iv", "v")
HORIZONS = (1, 24)
HALF_LIVES = (0, 24, 72, 168, 336)  # hours
JUDGED_HALF_LIFE = 72  # see docs/gate.md for why
SIZE_SEEDS = 16
REPLICATIONS = 125  # per seed
WALK_WEEKS = 62
TREND_WEEKS = 260  # five years of days, as long as the history of most coins
TREND_CLIMATES = {"still": STILL, "lively": Climate()}
LEAK_CANDLES = 6000


@dataclass(frozen=True, slots=True)
class Task:
    """One part that a worker does alone; equal tasks have equal results."""

    control: str
    seed: int
    weeks: int
    preset: str = ""
    horizon: int = 0
    half_life: int = 0


def main() -> int:
    """Run what is not known yet, print the table, and return 0 only if every bound is kept."""
    arguments = _parse_arguments()
    tasks = list(plan(arguments))
    results = dict(_known(arguments.output, tasks))
    missing = [task for task in tasks if task not in results]
    print(f"{len(tasks)} parts, {len(results)} of them known from before", file=sys.stderr, flush=True)
    for task, result in run(missing, arguments.workers):
        results[task] = result
        if arguments.output:
            _keep(arguments.output, task, result)
    lines = judge(results)
    print(table(lines))
    broken = [line for line in lines if line.kept is False]
    print(f"\n{len(broken)} bounds are broken" if broken else "\nEvery bound is kept")
    return 1 if broken else 0


def plan(arguments: argparse.Namespace) -> Iterator[Task]:
    """Yield every part that was asked for, the long ones first."""
    seeds = range(arguments.seeds)
    for control in ("iii", "ii"):
        if control in arguments.only:
            yield from (Task(control, seed, arguments.weeks, arguments.preset) for seed in seeds)
    if "iv" in arguments.only:
        for climate in TREND_CLIMATES:
            yield from (Task("iv", seed, TREND_WEEKS, climate) for seed in seeds)
    if "v" in arguments.only:
        yield Task("v", 0, arguments.weeks, arguments.preset)
    if "i" in arguments.only:
        for horizon in HORIZONS:
            for half_life in HALF_LIVES:
                for seed in range(SIZE_SEEDS):
                    yield Task("i", seed, weeks=30, horizon=horizon, half_life=half_life)


def run(tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Any]]:
    """Do the tasks in processes of their own and yield each result as it comes, saying so."""
    began = time.monotonic()
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        jobs: dict[Future[Any], Task] = {pool.submit(do, task): task for task in tasks}
        for done, job in enumerate(as_completed(jobs), start=1):
            task = jobs[job]
            print(
                f"{done} of {len(tasks)} after {time.monotonic() - began:.0f} s: {task.control} "
                f"seed {task.seed}",
                file=sys.stderr,
                flush=True,
            )
            yield task, job.result()


def do(task: Task) -> Any:
    """Do one part and return what it found, in JSON types."""
    work = {
        "i": find_size,
        "ii": examine_walk,
        "iii": examine_walk,
        "iv": examine_trends,
        "v": plant_leaks,
    }[task.control]
    return json.loads(json.dumps(work(task)))


def find_size(task: Task) -> Any:
    question = TwoForecasters(task.horizon, task.half_life, task.weeks)
    return asdict(count_passes(question, REPLICATIONS, task.seed))


def examine_walk(task: Task) -> Any:
    walk = simulate_walk(STILL if task.control == "ii" else Climate(), task.seed, task.weeks)
    trial = run_trial(preset_experiment(task.preset, str(SYMBOL)), walk.snapshot)
    return asdict(
        find_on_walk(walk, trial.walk.backtest, trial.table, trial.experiment.model, trial.verdicts)
    )


def examine_trends(task: Task) -> Any:
    return [asdict(found) for found in try_trends(TREND_CLIMATES[task.preset], task.seed, task.weeks)]


def plant_leaks(task: Task) -> Any:
    walk = simulate_walk(Climate(), task.seed, task.weeks)
    candles = walk.snapshot.candles.tail(LEAK_CANDLES)
    findings = [_leaks_found("everything the models read", check_everything(candles, HOURLY))]
    for name, feature in PLANTED_FEATURES.items():
        features = {**known_features(HOURLY), name: feature}
        report = check_leakage(
            lambda rows, f=features: compute_features(rows, HOURLY, f), candles, HOURLY, WARM_UP
        )
        findings.append(_leaks_found(f"planted: {name} among our features", report))
    report = check_leakage(leaking_inputs(HOURLY), candles, HOURLY, WARM_UP)
    gate, warnings = _gate_on_leak(walk, task.preset)
    findings.append(_leaks_found("planted: a model that sees the next candle", report, gate, warnings))
    return [asdict(finding) for finding in findings]


def judge(results: Mapping[Task, Any]) -> list[Line]:
    """Return the lines of the table for whatever was run."""
    lines = _size_lines({task: SizeCount(**found) for task, found in results.items() if task.control == "i"})
    for control, judged in (("ii", (still_lines,)), ("iii", (lively_lines, error_lines))):
        if walks := [WalkFinding(**found) for task, found in results.items() if task.control == control]:
            lines += [line for lines_of in judged for line in lines_of(walks)]
    for climate in TREND_CLIMATES:
        tasks = [task for task in results if (task.control, task.preset) == ("iv", climate)]
        if trends := [TrendFinding(**found) for task in tasks for found in results[task]]:
            lines += trend_lines(trends, climate)
    leaks = [LeakFinding(**f) for task, found in results.items() if task.control == "v" for f in found]
    return lines + leak_lines(leaks)


def _size_lines(counts: Mapping[Task, SizeCount]) -> list[Line]:
    lines = []
    for horizon in HORIZONS:
        for half_life in HALF_LIVES:
            parts = [c for t, c in counts.items() if (t.horizon, t.half_life) == (horizon, half_life)]
            if parts:
                total = SizeCount(
                    sum(c.tests for c in parts),
                    sum(c.block for c in parts),
                    sum(c.diebold_mariano for c in parts),
                )
                memory = f"errors half forgotten in {half_life} h" if half_life else "new errors every hour"
                about = f"h = {horizon}, {memory}"
                lines.append(size_line(total, about, judged=half_life == JUDGED_HALF_LIFE))
    return lines


def _leaks_found(
    what: str, report: LeakReport, gate: tuple[str, ...] = (), warnings: tuple[str, ...] = ()
) -> LeakFinding:
    return LeakFinding(what, report.is_clean, tuple(leak.column for leak in report.leaks), gate, warnings)


def _gate_on_leak(walk: ControlWalk, preset: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the gate says of a model whose inputs leak, and what the scores warn of."""
    trial = run_trial(preset_experiment(preset, str(SYMBOL)), walk.snapshot)
    leaking = leaking_table(trial.table, walk.snapshot.candles)
    backtest = with_oracle(run_walk_forward(leaking, trial.candidates, trial.folds).backtest, walk)
    model = trial.experiment.model
    evidence = {name: gather_evidence(backtest, name)[0] for name in dict.fromkeys((*BASELINES, model))}
    verdict = judge_horizon(evidence, model)
    located = with_location(backtest, leaking, model)
    gate = (
        f"width: {'promotes' if verdict.passed else 'refuses'} it: {verdict.reasons[0]}",
        f"width: better than the oracle with p = {p_value(backtest, model, ORACLE):.2g}",
        f"direction: better than none with p = {p_value(located, LOCATED, model):.2g}",
    )
    warnings = {"width": _warnings(backtest, model), "direction": _warnings(located, LOCATED)}
    return gate, tuple(
        f"{of}: {text}" for of, texts in warnings.items() for text in texts or ("nothing is too good",)
    )


def _warnings(backtest: Backtest, name: str) -> tuple[str, ...]:
    return implausible(horizon_scores(backtest, name, 0), gather_evidence(backtest, name)[0])


def _known(output: Path | None, tasks: Sequence[Task]) -> Iterator[tuple[Task, Any]]:
    if output is None or not output.exists():
        return
    for line in output.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue  # the last line of a run that was killed while writing
        task = Task(**record["task"])
        if task in tasks:
            yield task, record["found"]


def _keep(output: Path, task: Task, found: Any) -> None:
    with output.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"task": asdict(task), "found": found}) + "\n")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=CONTROLS, default=CONTROLS, help="which controls")
    parser.add_argument("--seeds", type=int, default=40, help="walks of each kind (default 40)")
    parser.add_argument("--weeks", type=int, default=WALK_WEEKS, help="length of a walk (default 62)")
    parser.add_argument("--preset", default="lstm", help="the pipeline's preset (default lstm)")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each (default 2)")
    parser.add_argument("--output", type=Path, help="file of JSON lines to keep finished parts in")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
