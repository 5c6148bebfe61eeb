"""Ctrl-C loses nothing: what was stored is whole, and the next start goes on from there."""

from exchange_server import Fault


def test_an_interrupted_fetch_goes_on_where_it_stopped(start, mur, exchange_server, monkeypatch):
    exchange_server.fail_next(Fault(delay_seconds=0.0))
    exchange_server.fail_next(Fault(delay_seconds=60.0))
    span = ("--since", "2026-01-01", "--until", "2026-04-30")
    fetch = start("fetch", "BTC/USDT", *span, MUR_EXCHANGE_URL=exchange_server.url)
    fetch.wait_for("Fetching BTC/USDT")
    answer = fetch.interrupt()
    assert (answer.status, answer.out) == (130, "")
    assert answer.line == "Interrupted; what was stored before is whole."

    monkeypatch.setenv("MUR_EXCHANGE_URL", exchange_server.url)
    (series,) = mur("fetch", "BTC/USDT", *span, "--json").record["series"]
    assert (series["added"], series["total"]) == (119 * 24 - 1000, 119 * 24)


def test_an_interrupted_fit_leaves_the_shelf_as_it_was(start, mur, simulated_year):
    training = start("train", "BTC/USDT", "--market", "simulated", "--since", "250d")
    training.wait_for("Training price.BTC-USDT.1h")
    answer = training.interrupt()
    assert (answer.status, answer.out) == (130, "")
    assert answer.line == "Interrupted; what was stored before is whole."
    assert mur("models", "list", "--market", "simulated", "--json").record["models"] == []
