"""`mur up`, `mur serve`, `mur forecast` and `mur doctor`."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Never

import typer

from make_us_rich.commands.options import (
    HostOption,
    IgnoredMarketOption,
    JsonOption,
    MarketOption,
    PortOption,
    SymbolArgument,
    TimeframeOption,
)

ReplayOption = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Folder of recorded candles to replay.")
]
StartOption = Annotated[
    str | None, typer.Option(help="UTC moment at which a past begins; default: where the candles end.")
]
EndOption = Annotated[
    str | None, typer.Option(help="UTC moment at which a past ends; default: with the candles.")
]
SpeedOption = Annotated[str, typer.Option(help="Simulated seconds per second of a past, or max.")]
MigrateOption = Annotated[
    bool, typer.Option("--migrate", help="Bring the database to the version this program works with.")
]
ExitOption = Annotated[bool, typer.Option("--exit-at-end", help="End with a summary when the past does.")]
FollowOption = Annotated[
    list[str] | None,
    typer.Option("--symbol", help="A pair to follow, repeatable; default: BTC/USDT, ETH/USDT."),
]


def up(
    *,
    market: MarketOption = None,
    replay_from: ReplayOption = None,
    start: StartOption = None,
    until: EndOption = None,
    speed: SpeedOption = "1",
    exit_at_end: ExitOption = False,
    symbols: FollowOption = None,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
) -> None:
    """Run the whole desk on one port: candles, training, forecasts, API."""
    from make_us_rich.commands.answer import answer, begin
    from make_us_rich.commands.wording import tally_lines
    from make_us_rich.desk.desk import run_desk
    from make_us_rich.desk.plan import DeskPlan, check_plan, parse_speed
    from make_us_rich.desk.progress import ProgressReport
    from make_us_rich.market.dates import parse_moment
    from make_us_rich.market.symbol import Symbol
    from make_us_rich.operations.workplace import parse_market

    settings = begin()
    plan = DeskPlan(
        market=parse_market(market) if market else None,
        replay_from=replay_from,
        start=parse_moment(start) if start else None,
        until=parse_moment(until) if until else None,
        speed=parse_speed(speed),
        exit_at_end=exit_at_end,
        symbols=tuple(Symbol.parse(text) for text in symbols or ()),
        host=host,
        port=port,
    )
    with _ended_by_signal(), ProgressReport() as progress:
        tally = run_desk(check_plan(plan, settings), settings, progress)
        answer(tally, tally_lines(tally), as_json=False)


def serve(*, market: MarketOption = None, host: HostOption = "127.0.0.1", port: PortOption = 8000) -> None:
    """Serve what is stored, without fetching or training; new champions are picked up as they come."""
    from dataclasses import replace

    from make_us_rich.commands.answer import begin, say, wall_now
    from make_us_rich.desk.accounts import first_login_line, opened_access
    from make_us_rich.forecasting.board import Board
    from make_us_rich.journal.histories import open_history
    from make_us_rich.journal.journal import Journal
    from make_us_rich.journal.reading import JournalRecords
    from make_us_rich.operations.last_started import remember_market
    from make_us_rich.operations.workplace import resolve_workplace, standing_clock
    from make_us_rich.serving.app import create_app
    from make_us_rich.serving.server import ApiServer, exposure_warning

    settings = begin()
    place = resolve_workplace(market, settings)
    view = place.view(standing_clock(place, wall_now()))
    remember_market(settings, place.market, wall_now())

    def on_ready(address: str) -> None:
        say(f"Serving the {place.market} market on {address}")
        if line := first_login_line(access, address):
            say(line)

    with opened_access(settings) as access, _ended_by_signal():
        history = open_history(access.database, place.market, view.clock.now(), wall_now())
        is_behind_proxy = bool(access.trusted_proxies)
        if line := exposure_warning(host, is_public=access.public_read, is_behind_proxy=is_behind_proxy):
            say(line)
        journal = Journal(access.database, place.market, history.number)
        board = Board(replace(view, database=access.database), JournalRecords(journal))
        ApiServer(create_app(board, access, journal), host, port, on_ready).run()


def forecast(
    symbol: SymbolArgument,
    *,
    timeframe: TimeframeOption = "1h",
    market: MarketOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the forecast the API would serve now."""
    from make_us_rich.commands.answer import answer, begin, parse_series, wall_now
    from make_us_rich.commands.wording import forecast_lines
    from make_us_rich.operations.forecast import forecast as make_forecast
    from make_us_rich.operations.workplace import resolve_workplace
    from make_us_rich.registry.model_name import ModelName
    from make_us_rich.serving.answers import write_answer
    from make_us_rich.serving.freshness import require_answerable
    from make_us_rich.serving.schemas import ForecastAnswer

    (pair,) = parse_series([symbol], timeframe)
    made = make_forecast(resolve_workplace(market, begin()), ModelName("price", *pair), wall_now())
    body = write_answer(made.board, made.served).body(require_answerable(made.served, made.board.view))
    told = ForecastAnswer.model_validate_json(body)
    answer(told, forecast_lines(told), as_json=as_json)


def doctor(
    *, migrate: MigrateOption = False, market: IgnoredMarketOption = None, as_json: JsonOption = False
) -> None:
    """Check this machine, the stored candles, the models and the way to the exchange."""
    from make_us_rich.commands.answer import answer, begin, say, wall_now
    from make_us_rich.commands.wording import doctor_lines
    from make_us_rich.operations.doctor import examine
    from make_us_rich.operations.home_database import opened_database

    settings = begin()
    if migrate:
        with opened_database(settings, migrates=True) as database:
            say(f"Database {database.label} is of the version this program works with.")
    found = examine(settings, wall_now())
    answer(found, doctor_lines(found.checks), as_json=as_json)
    if found.has_failed:
        raise typer.Exit(1)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    # a server is ended by Ctrl-C or SIGTERM, so that is its success and not a failure
    from make_us_rich.commands.answer import say

    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        signal.signal(signal.SIGTERM, previous)


def _interrupt(*_: object) -> Never:
    raise KeyboardInterrupt
