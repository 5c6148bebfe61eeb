"""Bad input gets one clear line (thing, finding, way out), the right exit status, and loses nothing."""

import errno
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from make_us_rich.market import files
from make_us_rich.operations.workplace import Workplace
from make_us_rich.testing.artifacts import toy_draft

from .conftest import Answer

SIMULATED = ("--source", "simulated")


@pytest.fixture
def write_recording(tmp_path, make_candles):
    """Write 30 days of BTC/USDT hours as a recording, spoiled by a function, and return its source."""

    def write(spoil=lambda candles: candles, count=720):
        folder = tmp_path / "recording" / "BTC-USDT"
        folder.mkdir(parents=True, exist_ok=True)
        spoil(make_candles(count)).write_parquet(folder / "1h.parquet")
        return f"replay:{folder.parent}"

    return write


def refused(answer, status, *words):
    """One line on stderr with all the words, no traceback, nothing on stdout."""
    assert answer.status == status, answer.err
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert [word for word in words if word not in answer.line] == [], answer.line
    return True


def test_an_unknown_symbol_is_answered_with_close_names(mur):
    assert refused(mur("fetch", "BCT/USDT", *SIMULATED), 2, "BCT/USDT", "did you mean", "BTC/USDT")


def test_a_symbol_of_no_form_is_shown_how_to_be_written(mur):
    assert refused(mur("quality", "BTCUSDT"), 2, "BTCUSDT", "BTC/USDT")


def test_an_unknown_timeframe_is_answered_with_the_known_ones(mur):
    answer = mur("fetch", "BTC/USDT", *SIMULATED, "--timeframe", "7h")
    assert refused(answer, 2, "7h", "choose one of", "1h")


def test_an_unknown_source_is_answered_with_the_ways_to_name_one(mur):
    assert refused(mur("fetch", "BTC/USDT", "--source", "binanec"), 2, "binanec", "replay:DIR", "simulated")


def test_an_unknown_market_is_answered_with_the_known_ones(mur):
    assert refused(mur("models", "list", "--market", "paper"), 2, "paper", "live, replay, simulated")


def test_a_date_that_is_none_is_shown_how_to_be_written(mur):
    assert refused(
        mur("fetch", "BTC/USDT", *SIMULATED, "--since", "30.4.2026"),
        2,
        "30.4.2026",
        "2026-04-30",
    )


def test_an_empty_span_is_refused(mur):
    answer = mur("fetch", "BTC/USDT", *SIMULATED, "--since", "2024-02-01", "--until", "2024-01-01")
    assert refused(answer, 2, "2024-02-01", "2024-01-01", "earlier --since")


def test_a_setting_that_is_none_names_its_variable(mur, monkeypatch):
    monkeypatch.setenv("MUR_STALE_LIMIT_HOURS", "soon")
    assert refused(mur("models", "list"), 2, "MUR_STALE_LIMIT_HOURS", "soon", "correct it")


@pytest.mark.parametrize("verbosely", [(), ("--verbose",)])
def test_a_setting_that_is_secret_is_refused_without_its_value(home, tmp_path, verbosely):
    ran = subprocess.run(
        [sys.executable, "-m", "make_us_rich.cli", "models", "list", *verbosely],
        env=os.environ | {"MUR_SECRET_KEY": "too-short", "MUR_STALE_LIMIT_HOURS": "soon"},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode != 0
    assert "MUR_" in ran.stderr
    assert "too-short" not in ran.stdout + ran.stderr


def test_a_secret_setting_that_is_none_still_names_its_variable(mur, monkeypatch):
    monkeypatch.setenv("MUR_SECRET_KEY", "too-short")
    answer = mur("models", "list")
    assert refused(answer, 2, "MUR_SECRET_KEY: ", "at least 32", "correct it")
    assert "too-short" not in answer.err


@pytest.mark.parametrize("arguments", [("fetch",), ("fetch", "BTC/USDT", "--bogus"), ("bogus",), ("models",)])
def test_wrong_usage_ends_with_status_2_and_a_way_on(mur, arguments):
    answer = mur(*arguments)
    assert answer.status == 2
    assert "Traceback" not in answer.err
    assert "--help" in answer.err


def test_nothing_stored_says_how_to_fetch(mur):
    assert refused(mur("quality", "BTC/USDT"), 2, "BTC/USDT 1h", "no candles", "mur fetch BTC/USDT")


def test_too_little_history_says_how_much_is_needed(mur, write_recording):
    answer = mur("train", "BTC/USDT", "--source", write_recording(), "--preset", "volatility")
    assert refused(answer, 1, "candles", "found 720", "--since")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda candles: pl.concat([candles[:300], candles[360:]]),
            ("60 candles missing", "2024-01-13 11:00"),
        ),
        (lambda candles: candles.gather_every(50), ("missing", "--repair")),
        (lambda candles: candles.with_columns(low=pl.lit(-1.0)), ("impossible", "--repair")),
        (lambda candles: candles.with_columns(close=pl.lit(float("nan"))), ("impossible", "--repair")),
    ],
    ids=["one long gap", "many gaps", "negative price", "NaN"],
)
def test_candles_unfit_to_learn_from_are_refused_before_any_fit(mur, write_recording, spoil, words):
    answer = mur("train", "BTC/USDT", "--source", write_recording(spoil), "--preset", "volatility")
    assert refused(answer, 1, "BTC/USDT 1h", *words)
    assert "Training" not in answer.err
    assert mur("models", "list", "--market", "replay", "--json").record["models"] == []


def test_a_timestamp_in_the_future_is_refused_and_nothing_is_stored(mur, write_recording, settings):
    shift = timedelta(days=365 * 50)
    source = write_recording(lambda candles: candles.with_columns(pl.col("open_time") + shift))
    assert refused(mur("fetch", "BTC/USDT", "--source", source), 1, "future", "correct the recording")
    assert Workplace(settings, "replay").store().series() == []


def test_a_recording_that_is_no_parquet_is_named(mur, write_recording, tmp_path):
    source = write_recording()
    (tmp_path / "recording" / "BTC-USDT" / "1h.parquet").write_bytes(b"not parquet")
    assert refused(mur("fetch", "BTC/USDT", "--source", source), 1, "1h.parquet", "replace the file")


def test_an_unknown_key_in_an_experiment_is_named_with_the_known_ones(mur, tmp_path):
    file = tmp_path / "question.yaml"
    file.write_text("symbol: BTC/USDT\nwindwo: 48\n")
    assert refused(mur("train", str(file)), 2, "question.yaml", "windwo", "unknown key", "known keys")


def test_an_option_wins_over_the_file_but_is_checked_like_it(mur, tmp_path):
    file = tmp_path / "question.yaml"
    file.write_text("symbol: BTC/USDT\n")
    assert refused(mur("train", str(file), "--timeframe", "7h"), 2, "7h", "choose one of")


def test_a_file_and_a_symbol_are_not_trained_together(mur, tmp_path):
    assert refused(mur("train", "question.yaml", "BTC/USDT"), 2, "either", "question.yaml")


def test_a_store_of_a_newer_version_is_left_alone(mur, home):
    mur("fetch", "BTC/USDT", *SIMULATED, "--since", "5d")
    marker = home / "simulated" / "candles" / "store.json"
    marker.write_text(json.dumps({"format": 99}))
    assert refused(mur("quality", "BTC/USDT", "--market", "simulated"), 1, "format 99", "newer")
    assert json.loads(marker.read_text()) == {"format": 99}


def test_a_full_disk_loses_nothing(mur, monkeypatch, settings):
    fetch = ("fetch", "BTC/USDT", *SIMULATED, "--since", "2024-01-01")
    mur(*fetch, "--until", "2024-01-11")

    def refuse(_descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(files.os, "fsync", refuse)
        answer = mur("fetch", "BTC/USDT", *SIMULATED, "--since", "2024-01-01", "--until", "2024-01-21")
    assert refused(answer, 1, "No space left", "free some space")
    (series,) = mur(*fetch, "--until", "2024-01-21", "--json").record["series"]
    assert (series["added"], series["total"]) == (240, 480)


def test_a_home_that_is_a_file_says_so(mur, home):
    home.write_text("in the way")
    assert refused(mur("fetch", "BTC/USDT", *SIMULATED, "--since", "5d"), 1, str(home), "MUR_HOME")


def test_a_folder_that_may_not_be_written_says_so(mur, monkeypatch):
    def refuse(**_options):  # as root, which CI is, every real folder can be written
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    answer = mur("fetch", "BTC/USDT", *SIMULATED, "--since", "5d")
    assert refused(answer, 1, "Read-only file system", "make it writable", "MUR_HOME")


def test_a_corrupted_artifact_is_not_promoted_and_the_old_one_stays(mur, settings):
    shelf = Workplace(settings, "replay").shelf()
    first, second = shelf.shelve(toy_draft()), shelf.shelve(toy_draft())
    shelf.promote("price.BTC-USDT.1h", first, "test", datetime(2024, 3, 2, tzinfo=UTC))
    model = shelf.folder("price.BTC-USDT.1h", second) / "model.onnx"
    model.write_bytes(np.frombuffer(model.read_bytes(), np.uint8)[::-1].tobytes())
    answer = mur("models", "promote", f"price.BTC-USDT.1h@{second}", "--market", "replay")
    assert refused(answer, 1, "model.onnx", "SHA-256")
    assert shelf.champion("price.BTC-USDT.1h").version == first


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from make_us_rich.cli import main
main()
"""


def test_a_machine_that_only_serves_says_what_training_needs(home, simulated_year):
    # in a process of its own, because in this one a test may have loaded torch already
    command = [sys.executable, "-c", WITHOUT_TORCH, "train", "BTC/USDT", "--market", "simulated"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused(Answer(ran.returncode, ran.stdout, ran.stderr), 1, "needs torch", "make-us-rich[train]")


def test_verbose_shows_where_it_happened(mur):
    with pytest.raises(Exception, match="BTCUSDT"):
        mur("quality", "BTCUSDT", "--verbose")


def test_what_nobody_expected_is_still_one_line(mur, monkeypatch):
    monkeypatch.setattr("make_us_rich.operations.shelf.list_models", lambda _: 1 // 0)
    assert refused(mur("models", "list"), 1, "ZeroDivisionError", "--verbose")
