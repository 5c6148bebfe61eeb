"""The access log names what was asked for and nothing that lets anybody in."""

import pytest
from structlog.testing import capture_logs

from make_us_rich.serving.access_log import without_secrets

SECRET = "k3_-" + "x" * 39
TOKEN = f"mur_0123456789ab_{SECRET}"


@pytest.mark.parametrize(
    "query",
    [
        f"token={TOKEN}",
        f"%74oken={TOKEN}",
        f"TOKEN={SECRET}",
        f"%63ode={SECRET}&next=/",
        f"in%76itation={SECRET}",
        f"x={TOKEN}",
        f"x=y+{TOKEN}%20z",
        f"{TOKEN}",
        f"x={TOKEN.replace('_', '%5f')}",
        f"x={TOKEN.replace('_', '%255F')}",
    ],
)
def test_no_way_of_writing_a_secret_in_a_query_gets_it_logged(query):
    kept = without_secrets(query)
    assert SECRET not in kept
    assert "xxx" not in kept
    assert "…" in kept


@pytest.mark.parametrize(
    "query", ["", "timeframe=1h&limit=10", "symbol=BTC/USDT", "from=2026-01-01T00:00:00Z", "x=&y=a%26b"]
)
def test_a_query_without_secrets_is_logged_as_it_came(query):
    assert without_secrets(query) == query


def test_a_token_in_the_path_is_not_logged(open_client):
    client = open_client(access_log=True)
    with capture_logs() as logs:
        client.get(f"/v1/tokens/{TOKEN}?%74oken={TOKEN}")
        client.get(f"/v1/tokens/{TOKEN.replace('_', '%5F')}")
    assert [one["path"] for one in logs if one["event"] == "request"] == ["/v1/tokens/mur_…"] * 2
    assert SECRET not in str(logs)
