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
    from make_us_rich.commands.wording import export_lines
    from make_us_rich.operations.export import export as export_version
    from make_us_rich.operations.workplace import resolve_workplace

    exported = export_version(resolve_workplace(market, begin()), name, folder)
    answer(exported, export_lines(exported), as_json=as_json)


def clean(*, market: MarketOption = None, dry_run: DryRunOption = False, as_json: JsonOption = False) -> None:
    """Remove versions over 30 days old that nobody serves or may return to, snapshots and earlier replays."""
    from make_us_rich.commands.answer import answer, begin, wall_now
    from make_us_rich.commands.wording import cleaning_lines
    from make_us_rich.operations.clean import clean as clean_shelf
    from make_us_rich.operations.workplace import resolve_workplace

    cleaned = clean_shelf(resolve_workplace(market, begin()), wall_now(), dry_run=dry_run)
    answer(cleaned, cleaning_lines(cleaned), as_json=as_json)
