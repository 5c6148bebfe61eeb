"""A small home as 0.1.0 leaves one, on made-up candles; this runs with the code of 0.1.0 only."""

import io
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from make_us_rich.desk.loop import Feed
from make_us_rich.desk.workplace import Workplace
from make_us_rich.training.trends import shelving as trend_shelving

from homes.home_desk import run_command
from make_us_rich.accounts.audit import Deed
from make_us_rich.accounts.invitations import invite, sign_up
from make_us_rich.accounts.logins import Attempt, log_in, redeem_link
from make_us_rich.accounts.quota import Wanted, take_calls
from make_us_rich.accounts.tokens import TokenRequest, create_token, note_use, revoke_token
from make_us_rich.accounts.users import UserChange, add_user, change_user, list_users
from make_us_rich.accounts.watchlist import put_entry
from make_us_rich.database.engine import Database
from make_us_rich.database.journal_tables import drift_verdicts
from make_us_rich.desk.accounts import opened_access
from make_us_rich.desk.desk import Desk
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.evaluation.report import Report
from make_us_rich.evaluation.trends.explain import TrendExplanation
from make_us_rich.journal.journal import Journal, append_missing
from make_us_rich.journal.notes import CandleNote, note_candles
from make_us_rich.journal.outcome import closes_as_actuals, score_due
from make_us_rich.journal.record import record_sheets
from make_us_rich.market.clock import ReplayClock
from make_us_rich.market.sources import ReplaySource, SimulatedSource
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.shelf import Decision
from make_us_rich.settings import Settings
from make_us_rich.testing.trend_artifacts import toy_trend_draft, toy_trend_evidence
from make_us_rich.training import shelving as price_shelving
from trial_journal import sheet_at

BTC, ETH, SOL, ADA = (Symbol(base, "USDT") for base in ("BTC", "ETH", "SOL", "ADA"))
HOUR, DAY = Timeframe("1h"), Timeframe("1d")
END = datetime(2024, 6, 17, 6, tzinfo=UTC)  # a Monday; what was recorded ends here
TRAINED = datetime(2024, 6, 5, tzinfo=UTC)
PLAYED = tuple(TRAINED + timedelta(hours=6 + 72 * n) for n in range(5))  # the last is END
SIMULATED_END = datetime(2024, 5, 20, tzinfo=UTC)  # this market was left four weeks before the other
HISTORY = {(BTC, HOUR): 229, (ETH, HOUR): 110, (SOL, DAY): 560, (ADA, DAY): 410}  # days
TICK = 0.08
PRICE = "price.BTC-USDT.1h"
TREND_FILE = f"""kind: trend
symbol: SOL/USDT
until: {TRAINED:%Y-%m-%d}
candidates: [Ridge, LightGBM]
folds: {{days: 20, least_rows: 200}}
"""


@dataclass(slots=True)
class Secrets:
    """What lets people in; test data that opens nothing but this home."""

    words: dict[str, str] = field(default_factory=dict)

    def keep(self, **words: str) -> None:
        """Remember words by name."""
        self.words |= words


def build_home(folder: Path) -> Secrets:
    """Make the home in `folder` and return its secrets; only the random ones differ from run to run."""
    home, secrets = folder / "home", Secrets()
    _build_simulated(home, secrets)
    _build_replay(home, folder, secrets)
    for path in sorted(home.rglob("*.parquet")):
        _unpack_parquet(path)
    for path in home.rglob("desk.db"):
        _settle(path)
    for path in [*home.rglob("*.lock"), *home.rglob("desk.db-*")]:
        path.unlink()
    _date(home / "simulated", SIMULATED_END)
    _date(home / "replay", END)
    return secrets


def made_up_candles(symbol: Symbol, timeframe: Timeframe, until: datetime) -> pl.DataFrame:
    """Return simulated candles on a coarse grid of prices near 100, which packs well."""
    days, until = HISTORY[symbol, timeframe], timeframe.floor(until)
    pages = SimulatedSource().fetch(symbol, timeframe, until - timedelta(days=days), until)
    candles = pl.concat(list(pages))
    scale = 100 / candles["close"].item(0) / TICK
    prices = [(pl.col(name) * scale).round() * TICK for name in ("open", "high", "low", "close")]
    volume = (pl.col("volume") / pl.col("volume").mean() * 4).round() * 100 + 100
    return candles.with_columns(*(price.round(2) for price in prices), volume.alias("volume"))


def _build_replay(home: Path, folder: Path, secrets: Secrets) -> None:
    recording = _write_recording(folder / "recorded")
    source, place = ReplaySource(recording), Workplace(Settings(home=home), "replay")
    store = place.store()
    for symbol, timeframe in HISTORY:
        for page in source.fetch(symbol, timeframe, END - timedelta(days=900), TRAINED):
            store.append(page, source.name, symbol, timeframe)
    _train(home, folder, place)
    with opened_access(place) as access:
        _admit_people(access.database, secrets)
        journal = Journal(access.database, "replay")
        _break_a_horizon(journal)
        for moment in PLAYED:
            feed = Feed(source, store, (BTC, ETH), HOUR)
            with ProgressReport(io.StringIO()) as report:
                Desk(place, feed, ReplayClock(moment, moment, None), report, journal).feed_once()
        revised = CandleNote("recorded BTC/USDT 1h", END - 30 * HOUR.duration, "revised", "close 1 became 2")
        note_candles(journal, [revised], END)


def _write_recording(folder: Path) -> Path:
    for symbol, timeframe in HISTORY:
        path = folder / symbol.path_name / f"{timeframe}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        made_up_candles(symbol, timeframe, END).write_parquet(path)
    return folder


def _train(home: Path, folder: Path, place: Workplace) -> None:
    since, until = f"{END - timedelta(days=HISTORY[BTC, HOUR]):%Y-%m-%d}", f"{TRAINED:%Y-%m-%d}"
    span = ("--market", "replay", "--since", since, "--until", until)
    file = folder / "trend.yaml"
    file.write_text(TREND_FILE)
    with _light_artifacts():
        for _ in range(2):
            _do(home, folder, "train", "BTC/USDT", "--preset", "volatility", *span)
        _do(home, folder, "train", str(file), "--market", "replay", "--direction", "up")
    shelf, at = place.shelf(), TRAINED + timedelta(hours=2)
    for trained in (datetime(2024, 3, 1, 2, tzinfo=UTC), TRAINED):
        changes: dict[str, Any] = {"trained_at": trained, "evidence": {"pool": toy_trend_evidence()}}
        shelf.shelve(toy_trend_draft("replay", "ADA/USDT", changes=changes))
    shelf.shelve(toy_trend_draft("replay", "ADA/USDT", "down", changes={"trained_at": TRAINED}))
    for name, version in (
        (PRICE, 1),
        (PRICE, 2),
        ("trend-up.SOL-USDT.1d", 1),
        ("trend-up.ADA-USDT.1d", 2),
    ):
        if (pointer := shelf.champion(name)) is None or pointer.version != version:
            shelf.promote(name, version, "promoted by hand", at)
            given = Decision(
                at=at, version=version, kind="manual", promoted=True, reasons=("promoted by hand",)
            )
            shelf.record_decision(name, given)
    shelf.rollback(PRICE, at + timedelta(hours=1))


@contextmanager
def _light_artifacts() -> Iterator[None]:
    """Train as ever, but keep pages of plots, most golden windows and most explained days off the shelf."""
    page = b"<!doctype html><title>Left out</title><p>This record has no room for the page.</p>"
    whole_report, whole_explanation = Report.to_files, TrendExplanation.to_json

    def files(self: Report) -> dict[str, bytes]:
        return whole_report(self) | {"report.html": page, "report.json": b"{}"}

    def explanation(self: TrendExplanation) -> dict[str, Any]:
        few = replace(self, values=self.values[:2], features=self.features[:2])
        means = {"mean_absolute": dict(self.mean_absolute), "mean_signed": dict(self.mean_signed)}
        return whole_explanation(few) | means

    with ExitStack() as light:
        light.enter_context(patch.object(price_shelving, "GOLDEN_WINDOWS", 2))
        light.enter_context(patch.object(trend_shelving, "report_trend", lambda *_: page))
        light.enter_context(patch.object(Report, "to_files", files))
        light.enter_context(patch.object(TrendExplanation, "to_json", explanation))
        yield


def _do(home: Path, folder: Path, *arguments: str) -> None:
    answer = run_command(home, folder, (*arguments, "--json"))
    if answer["status"]:
        raise RuntimeError(f"mur {' '.join(arguments)}: {answer}")


def _admit_people(database: Database, secrets: Secrets) -> None:
    at = TRAINED + timedelta(hours=3)
    deed = Deed("command line", at)
    people = (("ada", "admin", "seven white horses"), ("ben", "member", "twelve black sheep"))
    for name, role, password in people:
        redeem_link(database, add_user(database, name, role, deed), password, at)  # type: ignore[arg-type]
        secrets.keep(**{f"{name}_password": password})
    redeem_link(database, add_user(database, "carl", "member", deed), "nine grey herons fly", at)
    change_user(database, "carl", UserChange(is_disabled=True), Deed("ada", at))
    change_user(database, "ben", UserChange(monthly_quota=500), Deed("ada", at))
    secrets.keep(dora_code=add_user(database, "dora", "member", Deed("ada", END)))
    _invite(database, secrets)
    for name in ("ada", "ben"):
        _give_token(database, secrets, name, at, f"{name}_token")
    old, _ = create_token(database, "ben", TokenRequest("an old script"), at)
    revoke_token(database, old.id, at + timedelta(days=1))
    put_entry(database, 2, BTC, 0.5, at)
    put_entry(database, 2, ETH, 2.0, at)
    put_entry(database, 1, SOL, 0.0, at)
    take_calls(database, [Wanted(1, 1_000, 17), Wanted(2, 500, 123)], datetime(2024, 5, 31, tzinfo=UTC))
    take_calls(database, [Wanted(2, 500, 45)], at)
    for name in ("ada", "ben"):
        log_in(database, Attempt(name, secrets.words[f"{name}_password"], "127.0.0.1"), END)


def _invite(database: Database, secrets: Secrets) -> None:
    used, code = invite(database, "member", 1, Deed("ada", END - timedelta(days=2)))
    sign_up(database, "invitation", ("eve", "eleven red foxes"), code, END - timedelta(days=1))
    _, code = invite(database, "member", 1, Deed("ada", END - timedelta(hours=1)))
    secrets.keep(invitation=code, used_invitation_id=str(used.id))


def _give_token(database: Database, secrets: Secrets, name: str, at: datetime, key: str) -> None:
    """Make a token with every scope its owner may have."""
    role = next(user.role for user in list_users(database) if user.name == name)
    request = TokenRequest("reports", ("read", "admin") if role == "admin" else ("read",))
    token, text = create_token(database, name, request, at, Deed("command line", at))
    note_use(database, [token.id], at + timedelta(hours=1))
    secrets.keep(**{key: text, f"{key}_id": token.id})


def _break_a_horizon(journal: Journal) -> None:
    week = datetime(2024, 6, 3, tzinfo=UTC)
    row = {
        "market": journal.market, "name": PRICE, "horizon": 8, "week": week, "version": 1,
        "state": "broken", "reason": "4-week coverage is 78.1%, outside 80% to 97%", "judged_at": week,
    }  # fmt: skip
    with journal.database.write() as session:
        append_missing(session, drift_verdicts, [row])


def _build_simulated(home: Path, secrets: Secrets) -> None:
    place = Workplace(Settings(home=home), "simulated")
    with opened_access(place) as access:
        database, at = access.database, SIMULATED_END - timedelta(days=3)
        people = (("ben", "member", "three green parrots"), ("gus", "admin", "forty blue whales"))
        for name, role, password in people:
            redeem_link(database, add_user(database, name, role, Deed("command line", at)), password, at)  # type: ignore[arg-type]
            _give_token(database, secrets, name, at, f"simulated_{name}_token")
            secrets.keep(**{f"simulated_{name}_password": password})
        put_entry(database, 1, SOL, 7.5, at)
        take_calls(database, [Wanted(1, 1_000, 12)], at)
        _write_simulated_journal(Journal(database, "simulated"))


def _write_simulated_journal(journal: Journal) -> None:
    steps = np.random.default_rng(5).normal(0, 0.01, 5)
    moments = [SIMULATED_END - timedelta(hours=4 - n) for n in range(5)]
    closes = dict(zip(moments, (100 * np.exp(np.cumsum(steps))).round(2).tolist(), strict=True))
    for moment in moments:
        score_due(journal, PRICE, closes_as_actuals(closes), moment)
        if moment in (moments[0], moments[2], moments[4]):
            record_sheets(journal, [sheet_at(moment, closes[moment], horizons=(1, 2, 4))], moment)


def _unpack_parquet(path: Path) -> None:
    # the same columns without zstd, so that the archive can pack equal candles once
    candles, labels = pl.read_parquet(path), pl.read_parquet_metadata(path)
    told = {key: value for key, value in labels.items() if key != "ARROW:schema"}
    candles.write_parquet(path, compression="uncompressed", metadata=told)


def _settle(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode=DELETE")


def _date(folder: Path, moment: datetime) -> None:
    for path in [folder, *folder.rglob("*")]:
        os.utime(path, (moment.timestamp(), moment.timestamp()))
