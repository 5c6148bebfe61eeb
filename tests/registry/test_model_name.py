import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.errors import UsageError
from make_us_rich.market.symbol import Symbol
from make_us_rich.market.timeframe import Timeframe
from make_us_rich.registry.model_name import ModelName

CURRENCIES = st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True)
TIMEFRAMES = st.sampled_from(["1m", "15m", "1h", "12h", "1d"]).map(Timeframe.parse)


@given(st.sampled_from(["price", "trend-up"]), st.builds(Symbol, CURRENCIES, CURRENCIES), TIMEFRAMES)
def test_a_name_that_was_written_is_read_back(kind, symbol, timeframe):
    name = ModelName(kind, symbol, timeframe)
    assert ModelName.parse(str(name)) == name


def test_a_word_may_stand_where_a_pair_does_and_is_no_pair():
    name = ModelName.parse("portfolio.savings-7.1h")
    assert name.subject == "savings-7"
    with pytest.raises(UsageError, match="not about one pair"):
        _ = name.symbol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "price",
        "price.BTC-USDT",
        "price.BTC/USDT.1h",
        "../price.BTC-USDT.1h",
        "price.BTC-USDT.1h/..",
        "price.BTC-USDT.7h",
        "price.btc-usdt.1h",
    ],
)
def test_anything_else_is_refused_in_one_line(text):
    with pytest.raises(UsageError) as refusal:
        ModelName.parse(text)
    assert "\n" not in str(refusal.value)
