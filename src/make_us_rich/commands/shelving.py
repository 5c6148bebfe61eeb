"""`mur export` and `mur clean`: what leaves the shelf."""

from pathlib import Path
from typing import Annotated

import typer

from make_us_rich.commands.options import JsonOption, MarketOption, NameArgument

FolderArgument = Annotated[Path, typer.Argument(metavar="DIR", help="A folder that does not exist yet.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")]


def export(
    name: NameArgument, folder: FolderArgument, *, market: MarketOption = None, as_json: JsonOption = False
) -> None:
    """Write a model as a folder that runs in another program, with an example."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.shelf_records import export_record
    from make_us_rich.commands.wording import export_lines
    from make_us_rich.desk.workplace import resolve_workplace

    record = export_record(resolve_workplace(market, begin()), name, folder)
    answer(record, export_lines(record), as_json=as_json)


def clean(*, market: MarketOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Remove versions older than 30 days that are neither served nor the way back, and unused snapshots."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.shelf_records import clean_record
    from make_us_rich.commands.wording import cleaning_lines
    from make_us_rich.desk.workplace import resolve_workplace

    record = clean_record(resolve_workplace(market, begin()), wall_now(), dry_run=dry_run)
    answer(record, cleaning_lines(record), as_json=as_json)
