"""The sentences of a trend report, and what its words mean."""

from make_us_rich.evaluation.reporting.numbers import (
    SPACE,
    UNDEFINED,
    count,
    joined,
    p_words,
    percent,
)
from make_us_rich.evaluation.trends.evidence import BLOCK_DAYS, TrendEvidence
from make_us_rich.evaluation.trends.report_record import YARDSTICK, TrendReportRecord

DAYS = """
The probability of each day, said before its future began. On shaded days the event came. Gaps in the lines
are days that cannot be told: candles are missing, or the indicators have no history yet.
"""
FORECASTERS = """
Brier skill against random_walk, which has no fitted parameter; bars are 95 % intervals from whole blocks.
Right of the line is better. The best of the candidates is no finding, for it is known only afterwards; the
pool chose before.
"""
CALIBRATION = """
Days in ten equal groups by the stated probability, and how often the event came. On the dashed line it came
as often as stated.
"""
IMPORTANCE = """
Shapley values in log-odds of the probability: how far each indicator moves the answer, and which way on
average. They say what the model does, not what moves the price.
"""
BEESWARM = """
A dot is a day. Right of the line the indicator made the event more probable, left of it less.
"""
CAPTIONS = {
    "days": ("What was said, and what came", DAYS),
    "forecasters": (f"Better than {YARDSTICK}?", FORECASTERS),
    "calibration": ("Do the probabilities hold what they state?", CALIBRATION),
    "importance": ("What moves {candidate}", IMPORTANCE),
    "beeswarm": ("The same, day by day", BEESWARM),
}
YARDSTICKS = {
    "base_rate": "the share of training days with the event",
    "momentum": "a logistic regression on the close over its 10-day average",
    "random_walk": (
        "the probability the event has if daily returns are independent, with mean 0 and today's volatility; "
        "nothing is fitted"
    ),
}
GLOSSARY = {
    "Pool": (
        "The recipe that is judged: in every fold the candidate with the lowest Brier score on the folds "
        "before. What is served is the same recipe, fitted once more on all days."
    ),
    "Brier score": "The mean squared difference between the probability and 0 or 1. Lower is better.",
    "Skill": (
        "1 − the sum of the losses over that of the baseline. 0 % is as good as the baseline, above 0 % is "
        "better."
    ),
    "p-value": (
        "How often chance alone would show this much advantage: a one-sided t test on the means of whole "
        "blocks. Over all coins a day counts once, because coins move together."
    ),
    "Block": f"{BLOCK_DAYS} days. Neighbouring days share most of their future, so whole blocks are counted.",
    "Rule": (
        "A candidate serves if the pool is better than each baseline with p < 0.05, on this coin and over "
        "all coins of the direction. Otherwise a baseline answers, and says so."
    ),
    "Outer fold": (
        "A stretch of days nobody chose on, forecast by candidates fitted on days whose events were decided "
        "before it began."
    ),
    "ROC-AUC": (
        "How often a day with the event had the higher probability than one without; 0.5 is chance. Half of "
        "the future of a 10-day average is known today, so compare it with that of the baselines."
    ),
}


def event(record: TrendReportRecord) -> str:
    """Return the event in a few words, for titles."""
    label, is_up = record.label, record.direction == "up"
    share = percent(label.threshold, _digits(label.threshold))
    if label.kind == "touch":
        return f"a touch {share} {'above' if is_up else 'below'} the close"
    whose = f"{label.average}-day average" if label.kind == "sma-change" else "close"
    return f"a {share} {'rise' if is_up else 'fall'} of the {whose}"


def question(record: TrendReportRecord) -> str:
    """Return what was asked."""
    label, symbol, is_up = record.label, record.subject.symbol, record.direction == "up"
    share, days = percent(label.threshold, _digits(label.threshold)), f"{label.horizon} days"
    if record.subject.timeframe != "1d":
        days = f"{label.horizon} candles"
    way = "higher" if is_up else "lower"
    side = "above" if is_up else "below"
    average = f"the average of {label.average} closes of {symbol}"
    asked = {
        "sma-change": f"Will {average} be at least {share} {way} in {days} than it is now?",
        "close-change": f"Will {symbol} close at least {share} {way} in {days} than now?",
        "touch": f"Will {symbol} trade at least {share} {side} the last close within the next {days}?",
    }[label.kind]
    return f"{asked} Each answer is a probability, made from closed candles and nothing later."


def ruling(record: TrendReportRecord) -> str:
    """Return who serves."""
    verdict = record.verdict
    coins = max((test.coins for test in record.pooled.values()), default=0)
    where = f"on this coin and over all {coins} coins" if coins > 1 else "on this coin"
    if verdict.passed:
        return f"{verdict.served_by} serves: the pool is proven better than every baseline, {where}."
    return (
        f"{verdict.served_by} (baseline) serves: the pool is not proven better than every baseline, {where}."
    )


def headline(record: TrendReportRecord) -> str:
    """Return the skill of the pool with its yardstick, interval, test and count."""
    own = record.own
    amount = own.skill[YARDSTICK]
    compared = (
        "the same as"
        if round(100 * amount, 1) == 0
        else f"{percent(abs(amount))} {'lower' if amount > 0 else 'higher'} than"
    )
    return (
        f"On {count(own.n)} days nobody chose on, the Brier score of the pool is {compared} that of "
        f"{YARDSTICK} ({basis(own, YARDSTICK)})."
    )


def basis(evidence: TrendEvidence, baseline: str) -> str:
    """Return the interval, the p-value and the blocks behind a skill."""
    interval = interval_words(evidence, baseline)
    return (
        f"95 % interval of the skill {interval}; " if interval != UNDEFINED else ""
    ) + f"{p_words(evidence.p_value[baseline])} on {evidence.blocks} whole blocks of {BLOCK_DAYS} days"


def interval_words(evidence: TrendEvidence, baseline: str) -> str:
    """Return the 95 % interval of a skill, or a dash where there is none."""
    low, high = (percent(side[baseline], signed=True) for side in (evidence.skill_low, evidence.skill_high))
    if UNDEFINED in (low, high):
        return UNDEFINED
    return f"{low.removesuffix(f'{SPACE}%')} to {high}"


def candidate_words(record: TrendReportRecord) -> str:
    """Return which candidates took part."""
    names = joined(record.candidates)
    return f"{len(record.candidates)} candidates were fitted before every fold: {names}."


def _digits(share: float) -> int:
    return 0 if round(100 * share, 6).is_integer() else 1
