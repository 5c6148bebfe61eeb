"""`mur models …`."""

import typer

from make_us_rich.commands.options import JsonOption, MarketOption, NameArgument

app = typer.Typer(help="What stands on the shelf, and which version is served.", no_args_is_help=True)


@app.command("list")
def list_models(*, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """List the models on the shelf."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.wording import models_lines
    from make_us_rich.operations.shelf import list_models as list_shelf
    from make_us_rich.operations.workplace import resolve_workplace

    found = list_shelf(resolve_workplace(market, begin()))
    answer(found, models_lines(found.models), as_json=as_json)


@app.command("show")
def show_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Show a version, by default the one that is served: origin, evidence, decisions."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.model_wording import model_lines
    from make_us_rich.operations.shelf import show_version
    from make_us_rich.operations.workplace import resolve_workplace

    shown = show_version(resolve_workplace(market, begin()), name)
    answer(shown, model_lines(shown), as_json=as_json)


@app.command("reproduce")
def reproduce_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Train a version again from its own candles and seed, and say whether the same comes out."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.wording import reproduction_lines
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.operations.reproduce import reproduce
    from make_us_rich.operations.workplace import resolve_workplace

    with ProgressReport() as progress:
        made = reproduce(resolve_workplace(market, begin()), name, progress)
    answer(made, reproduction_lines(made), as_json=as_json)
    if not made.is_reproduced:
        raise typer.Exit(1)


@app.command("promote")
def promote_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Serve the named version from now on, once it has been verified."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.wording import champion_line
    from make_us_rich.operations.progress import PlainLines
    from make_us_rich.operations.shelf import promote
    from make_us_rich.operations.workplace import resolve_workplace

    pointed = promote(resolve_workplace(market, begin()), name, wall_now(), PlainLines())
    answer(pointed, [champion_line(pointed)], as_json=as_json)


@app.command("rollback")
def rollback_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Serve the previous champion again; a second call undoes it."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.wording import champion_line
    from make_us_rich.operations.progress import PlainLines
    from make_us_rich.operations.shelf import roll_back
    from make_us_rich.operations.workplace import resolve_workplace

    pointed = roll_back(resolve_workplace(market, begin()), name, wall_now(), PlainLines())
    answer(pointed, [champion_line(pointed)], as_json=as_json)
