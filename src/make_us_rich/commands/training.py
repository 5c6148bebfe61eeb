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
    from make_us_rich.commands.training_wording import train_answer, train_lines
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.operations.requests import TrainRequest, split_targets

    if bool(targets) == train_all:
        raise UsageError("name the pairs to train, or an experiment file, or take --all, but not both")
    symbols, file = split_targets(targets or [])
    request = TrainRequest(
        market=market,
        symbols=symbols,
        file=file,
        all_stored=train_all,
        preset=preset,
        timeframe=timeframe,
        source=source,
        since=since,
        until=until,
        direction=direction,
        workers=workers,
    )
    settings = begin()
    from make_us_rich.operations.train import train as train_models

    with ProgressReport() as progress:
        result = train_models(request, settings, wall_now(), progress)
    answer(train_answer(result), train_lines(result), as_json=as_json)
    if result.failed:
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
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.operations.backtest import backtest as walk_forward
    from make_us_rich.operations.requests import TrainRequest, split_targets

    symbols, file = split_targets([target])
    request = TrainRequest(
        market=market,
        symbols=symbols,
        file=file,
        preset=preset,
        timeframe=timeframe,
        source=source,
        since=since,
        until=until,
    )
    settings = begin()
    with ProgressReport() as progress:
        done = walk_forward(request, output, settings, wall_now(), progress)
        progress.say(f"The report is in {done.folder}: report.html, report.md and report.json.")
    answer(done.report, [done.report.to_markdown()], as_json=as_json)


def leakage(
    symbol: CheckedSymbol = None,
    *,
    timeframe: TimeframeOption = "1h",
    market: MarketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that no feature and no model input looks at the future; a leak is named, with what to do."""
    from make_us_rich.commands.answer import answer, begin, parse_series
    from make_us_rich.commands.wording import leakage_lines
    from make_us_rich.operations.leaks import check_leaks
    from make_us_rich.operations.workplace import resolve_workplace

    ((_, length),) = parse_series([symbol or "BTC/USDT"], timeframe)
    place = resolve_workplace(market, begin()) if symbol else None
    found = check_leaks(length, place, symbol or "")
    answer(found, leakage_lines(found), as_json=as_json)
    if not found.report.is_clean:
        raise typer.Exit(1)
