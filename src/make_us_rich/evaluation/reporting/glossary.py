"""What the report explains in words: its figures, its yardsticks, its terms."""

FAN = """
Forecasts of {candidate} made at the dots, over the closes that came. The dashed line repeats the last
close; what can be forecast is how far the price may stray from it. Dotted: the 90 % interval of
persistence, which knows only the spread of the past year.
"""
SKILL = """
At 0 % {candidate} is as good as the yardstick, above it better. Where the folds disagree, trust the
number less.
"""
RELIABILITY = """
Observed minus stated share of closes at or below each quantile. On the zero line, the quantile for 5 %
has 5 % of the closes below it; the bars are 95 % intervals from whole blocks.
"""
HOURS = """
Quantile loss in % of that of persistence, by the hour of the cutoff. Below 100 % is better.
"""
WIDTHS = """
Forecasts in ten equal groups, narrow to wide, and the mean absolute move that followed. On the dashed
line moves grow with the width; the more of it the dots span, the more the forecaster can tell.
"""
CAPTIONS = {
    "fan": ("What was said, and what came", FAN),
    "skill": ("Skill at each horizon, in every fold", SKILL),
    "reliability": ("Do the quantiles hold what they state?", RELIABILITY),
    "hours": ("Error by hour of day", HOURS),
    "widths": ("Does a wide interval mean a large move?", WIDTHS),
}
YARDSTICKS = {
    "persistence": "repeats the last close; its spread is that of the past year's returns",
    "ewma_persistence": "the same, widened and narrowed with recent volatility (RiskMetrics)",
    "volatility": "a linear regression of the coming volatility on the past one, the hour and the weekend",
}
GLOSSARY = {
    "Quantile loss": (
        "What a forecast of 13 quantiles costs: 0 for a perfect one, more for each close that lies far "
        "from where the quantiles said. Lower is better."
    ),
    "Skill": (
        "1 − the sum of the losses over that of the yardstick. 0 % is as good as the yardstick, above 0 "
        "% is better. The ± is the spread over the folds."
    ),
    "p-value": (
        "How often chance alone would show this much advantage: a one-sided t test on the means of whole "
        "blocks. Losses are divided by the past week's volatility first."
    ),
    "Block": (
        "A week, or five horizons where that is longer. Forecasts near each other err together, so whole "
        "blocks are what is counted."
    ),
    "Rule": (
        "A model serves a horizon if it is better than each naive baseline with p < 0.05, if its 90 % "
        "interval holds what it states, and, unless it is volatility itself, if it is also better than "
        "volatility with p < 0.05. Elsewhere the best naive baseline stands in."
    ),
    "Fold": (
        "A stretch of candles whose forecasts come from models fitted and calibrated only on candles "
        "before it."
    ),
    "90 % interval": (
        "From the 5 % to the 95 % quantile. The ± beside the share of closes in it is the standard error "
        "over whole blocks."
    ),
    "Direction": (
        "Undefined where the median is the last close: such a forecast claims how far the price may "
        "move, not which way."
    ),
}
