"""The contract of kinds refuses each thing a kind can get wrong, in a sentence that says what."""

import itertools
from dataclasses import replace

import pytest

from make_us_rich.forecasting.forecast import Forecast, ForecastStep
from make_us_rich.forecasting.inputs import inputs_hash
from make_us_rich.forecasting.kind_defaults import KindDefaults
from make_us_rich.testing import check_kind


class RiseKind(KindDefaults):
    """Will the next close be higher? One half, whatever happened."""

    name = "rise"
    baselines = yardsticks = ("coin",)

    def question(self, models):
        return "higher"

    def forecast(self, subject, cutoff, candles, models):
        known = self.inputs(subject, cutoff, candles)
        target = cutoff + subject.name.timeframe.duration
        step = ForecastStep(1, target, "coin", is_baseline=True, probability=0.5)
        return Forecast(
            name=subject.name,
            market=candles.market,
            cutoff=cutoff,
            last_close=float(known.ohlcv[-1, 3]),
            steps=(step,),
            version=None,
            input_hash=inputs_hash(known),
            question="higher",
            yardsticks={"coin": (step,)},
            owner=subject.owner,
        )

    def actuals(self, name, questions, candles):
        duration = name.timeframe.duration
        closes = {
            opened + duration: close for opened, close in candles.own.select("open_time", "close").rows()
        }
        return {
            one: float(closes[one.target_time] > closes[one.cutoff])
            for one in questions
            if one.target_time in closes
        }


def changed(**change):
    """A kind whose forecast is right but for some fields."""

    class Changed(RiseKind):
        def forecast(self, *asked):
            return replace(super().forecast(*asked), **change)

    return Changed()


def stepped(**change):
    """A kind whose step is right but for some fields."""

    class Stepped(RiseKind):
        def forecast(self, *asked):
            made = super().forecast(*asked)
            return replace(made, steps=(replace(made.steps[0], **change),))

    return Stepped()


def test_a_kind_that_keeps_its_promises_passes():
    check_kind(RiseKind())


class Unsteady(RiseKind):
    counter = itertools.count()

    def forecast(self, *asked):
        return replace(super().forecast(*asked), last_close=float(next(self.counter)) + 1)


class Foresighted(RiseKind):
    def actuals(self, name, questions, candles):
        return dict.fromkeys(questions, 1.0)


class Forgetful(RiseKind):
    def actuals(self, name, questions, candles):
        return {}


class Nameless(RiseKind):
    name = "Rise 2"


class Untrainable(RiseKind):
    trainer = "somewhere:Trainer"


class Alone(RiseKind):
    yardsticks = ()


class Lengthy(RiseKind):
    baselines = yardsticks = ("a_coin_that_is_tossed",)


class Talkative(RiseKind):
    def card(self, manifest):
        return {"serves": object()}


class Untold(RiseKind):
    def answer(self, served):
        return {"steps": object()}


class Verbose(RiseKind):
    name = "rise" * 23


class Secretive(RiseKind):
    def subjects(self, view):
        return [replace(one, owner=7) for one in super().subjects(view)]


class Nobody(RiseKind):
    def subjects(self, view):
        return []


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (Unsteady(), "the same candles forecast the same"),
        (Foresighted(), "answers nothing before the target's candle is there"),
        (Forgetful(), "answers every question whose candles are there"),
        (Untrainable(), "a kind with an artifact names its trainer"),
        (Alone(), "at least one yardstick"),
        (Lengthy(), "yardsticks of 16 letters"),
        (Talkative(), r"card\(None\) is told in JSON types"),
        (Untold(), r"answer\(\) is told in JSON types"),
        (Verbose(), "names of 96 letters"),
        (stepped(served_by="c" * 33), "32 letters in served_by"),
        (Secretive(), "whose names have owners says so"),
        (Nobody(), "must name a forecast on stored candles"),
        (changed(owner=3), "the name, cutoff and owner it was asked for"),
        (changed(version=1), "without a champion the version is None"),
        (changed(question="lower"), "the question is that of question"),
        (changed(input_hash="0"), "is a SHA-256"),
        (changed(yardsticks={}), "coin stands beside every forecast"),
        (stepped(probability=1.5), "between 0 and 1"),
        (stepped(horizon=2), "those of horizons"),
        (stepped(served_by="model", is_baseline=False), "one of the kind's baselines answers"),
        (stepped(probability=None, quantiles=(1.0,) * 12), "13 rising prices"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_promise_that_is_broken_is_named(kind, sentence):
    with pytest.raises(AssertionError, match=sentence):
        check_kind(kind)


def test_a_name_that_is_no_name_is_refused():
    with pytest.raises(Exception, match="Rise 2"):
        check_kind(Nameless())
