"""`mur models …`."""

import typer

from make_us_rich.commands.options import JsonOption, MarketOption, NameArgument

app = typer.Typer(help="What stands on the shelf, and which version is served.", no_args_is_help=True)


@app.command("list")
def list_models(*, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """List the models on the shelf."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.shelf_records import list_record
    from make_us_rich.commands.wording import models_lines
    from make_us_rich.desk.workplace import resolve_workplace

    record = list_record(resolve_workplace(market, begin()))
    answer(record, models_lines(record["models"]), as_json=as_json)


@app.command("show")
def show_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Show a version, by default the one that is served: origin, evidence, decisions."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.shelf_records import version_record
    from make_us_rich.commands.trend_wording import trend_model_lines
    from make_us_rich.commands.wording import model_lines
    from make_us_rich.desk.workplace import resolve_workplace

    record = version_record(resolve_workplace(market, begin()), name)
    is_price = record["manifest"]["kind"] == "price"
    answer(record, model_lines(record) if is_price else trend_model_lines(record), as_json=as_json)


@app.command("reproduce")
def reproduce_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Train a version again from its own candles and seed, and say whether the same comes out."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.reproduction import reproduction_record
    from make_us_rich.commands.wording import reproduction_lines
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.desk.workplace import resolve_workplace

    with ProgressReport() as progress:
        record = reproduction_record(resolve_workplace(market, begin()), name, progress)
    answer(record, reproduction_lines(record), as_json=as_json)
    if not record["is_reproduced"]:
        raise typer.Exit(1)


@app.command("promote")
def promote_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Serve the named version from now on, once it has been verified."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.shelf_records import promote
    from make_us_rich.commands.wording import champion_line
    from make_us_rich.desk.workplace import resolve_workplace

    record = promote(resolve_workplace(market, begin()), name, wall_now())
    answer(record, [champion_line(record)], as_json=as_json)


@app.command("rollback")
def rollback_model(name: NameArgument, *, market: MarketOption = None, as_json: JsonOption = False) -> None:
    """Serve the previous champion again; a second call undoes it."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.shelf_records import roll_back
    from make_us_rich.commands.wording import champion_line
    from make_us_rich.desk.workplace import resolve_workplace

    record = roll_back(resolve_workplace(market, begin()), name, wall_now())
    answer(record, [champion_line(record)], as_json=as_json)
