"""`mur train`, `mur backtest` and `mur leakage`."""

from pathlib import Path
from typing import Annotated

import typer

from make_us_rich.commands.options import (
    JsonOption,
    MarketOption,
    PresetOption,
    PresetTimeframeOption,
    SinceOption,
    SourceOption,
    TimeframeOption,
    UntilOption,
)
from make_us_rich.errors import UsageError

TargetsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="SYMBOL…|EXPERIMENT.yaml", help="Pairs, or one experiment file.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Train every pair whose candles are stored.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Processes that train several pairs; default: one per core."),
]
TargetArgument = Annotated[
    str, typer.Argument(metavar="SYMBOL|EXPERIMENT.yaml", help="A pair, or an experiment file.")
]
DirectionOption = Annotated[
    str | None, typer.Option(metavar="up|down", help="Train trends of this direction only.")
]
OutputOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of the report; default: in the home of the market.")
]
CheckedSymbol = Annotated[
    str | None,
    typer.Argument(metavar="[SYMBOL]", help="A pair whose stored candles are used; default: simulated."),
]


def train(
    targets: TargetsArgument = None,
    *,
    train_all: AllOption = False,
    preset: PresetOption = "lstm",
    timeframe: PresetTimeframeOption = None,
    source: SourceOption = None,
    market: MarketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    direction: DirectionOption = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit, walk forward, export and shelve a model; promote it if it passes, and say why or why not."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.many_trainings import TrainingRound, all_pairs
    from make_us_rich.commands.rounds import train_prices, train_trend_pool
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.training.experiment import asks_for_trends
    from make_us_rich.training.parallel import available_cores

    if bool(targets) == train_all:
        raise UsageError("name the pairs to train, or an experiment file, or take --all, but not both")
    plan = TrainingRound(begin(), market, wall_now(), workers or available_cores())
    is_trend = preset == "trend" or asks_for_trends(targets or [])
    if direction is not None and not is_trend:
        raise UsageError(f"--direction belongs to trends; take --preset trend, found --preset {preset}")
    pairs = targets or all_pairs(plan.settings, market, source, timeframe or ("1d" if is_trend else "1h"))
    changes = {"timeframe": timeframe, "source": source, "since": since, "until": until}
    with ProgressReport() as progress:
        if is_trend:
            record, lines = train_trend_pool(pairs, changes, direction, plan, progress)
        else:
            record, lines = train_prices(pairs, preset, changes, plan, progress)
    answer(record, lines, as_json=as_json)
    if record.get("failed"):
        raise typer.Exit(1)


def backtest(
    target: TargetArgument,
    *,
    preset: PresetOption = "lstm",
    timeframe: PresetTimeframeOption = None,
    source: SourceOption = None,
    market: MarketOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Walk a recipe forward and report how it did: JSON, Markdown and a page with plots."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.experiments import backtest_experiment, read_experiments, write_report
    from make_us_rich.desk.progress import ProgressReport

    changes = {"timeframe": timeframe, "source": source, "since": since, "until": until}
    (experiment,) = read_experiments([target], preset, changes)
    settings = begin()
    with ProgressReport() as progress:
        place, report = backtest_experiment(settings, market, experiment, wall_now(), progress)
        folder = output or place.home / "reports" / experiment.name
        write_report(report, folder)
        progress.say(f"The report is in {folder}: report.html, report.md and report.json.")
    answer(report.to_json(), [report.to_markdown()], as_json=as_json)


def leakage(
    symbol: CheckedSymbol = None,
    *,
    timeframe: TimeframeOption = "1h",
    market: MarketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no feature and no model input looks at the future; a leak is named, with what to do."""
    from make_us_rich.commands import leak_check
    from make_us_rich.commands.answer import answer, begin, parse_series
    from make_us_rich.commands.wording import leakage_lines
    from make_us_rich.desk.workplace import resolve_workplace

    (series,) = parse_series([symbol or "BTC/USDT"], timeframe)
    if symbol is None:
        candles, says = leak_check.simulated_candles(series[1]), f"simulated {timeframe}"
    else:
        place = resolve_workplace(market, begin())
        candles, says = leak_check.stored_candles(place, *series), f"{place.market} {symbol} {timeframe}"
    record = leak_check.leakage_record(leak_check.check_everything(candles, series[1]), says)
    answer(record, leakage_lines(record), as_json=as_json)
    if not record["is_clean"]:
        raise typer.Exit(1)
