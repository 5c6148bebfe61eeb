"""What the API says about the journal: its own records, as in `serving.schemas`."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from make_us_rich.serving.schemas import Answer, MarketAnswer


class PredictionAnswer(Answer):
    """One forecast as it was written down, and what came of it; the outcome is null until it was scored."""

    name: str
    cutoff: datetime
    horizon: int = Field(description="In candles.")
    forecaster: str = Field(description="`served`, or the yardstick written down beside it.")
    target_time: datetime
    model: str = Field(description="Who spoke: `lstm`, `persistence` …")
    version: int | None
    last_close: float
    question: str | None = Field(description="The event a probability is of: kind/average/horizon/threshold.")
    quantiles: dict[str, float] | None = Field(description="Price by quantile level.")
    probability: float | None
    missing: str | None = Field(description="Why there is no forecast, where there is none.")
    remark: str | None = Field(description="Why a baseline was served where a model had passed the gate.")
    input_hash: str = Field(description="SHA-256 of what it was made from.")
    recorded_at: datetime
    actual: float | None = Field(description="The close; 1 or 0 where a trend came or not.")
    error: float | None = Field(description="The close minus the median; the label minus the probability.")
    loss: float | None = Field(description="Quantile loss of the log return; Brier score of a trend.")
    interval: int | None = Field(
        description="The narrowest central interval that held the close, in percent; 100: none did."
    )
    scored_at: datetime | None


class PredictionListAnswer(MarketAnswer):
    """One page, newest cutoffs first."""

    predictions: tuple[PredictionAnswer, ...]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


class SkillAnswer(Answer):
    """1 - Σ loss / Σ loss of the yardstick over n forecasts, and its weekly-block 95 % interval."""

    n: int
    skill: float | None
    low: float | None
    high: float | None


class CellAnswer(Answer):
    """What was said, and how often it came: of closes below a quantile level, of trends of a probability."""

    n: int
    said: float
    came: float


class TrackRecordAnswer(Answer):
    """How the served forecasts of one name turned out at one horizon."""

    name: str
    horizon: int
    model: str | None = Field(description="Null where all models that served are taken together.")
    version: int | None
    first_cutoff: datetime
    last_cutoff: datetime
    n: int
    n_apart: int = Field(description="n / horizon: how many do not overlap.")
    blocks: int = Field(description="Whole blocks the intervals rest on: weeks, or longer for long horizons.")
    skill: SkillAnswer = Field(description="Against `persistence`, trends against `random_walk`.")
    volatility_skill: SkillAnswer = Field(description="Against `volatility`, where it was written down.")
    coverage_90: float | None
    coverage_low: float | None
    coverage_high: float | None
    calibration: tuple[CellAnswer, ...]
    verdict: str | None = Field(description="`too early to tell` under eight whole blocks.")


class TrackRecordListAnswer(MarketAnswer):
    """The track record of what was asked for."""

    records: tuple[TrackRecordAnswer, ...]


class DriftAnswer(Answer):
    """What was found at one horizon when its last week was judged."""

    horizon: int
    week: datetime = Field(description="The Monday on which the last judged week ended.")
    version: int
    state: Literal["early", "fine", "watch", "broken"]
    reason: str


class InputDriftAnswer(Answer):
    """How far an input has moved since the model was fitted; shown, and decides nothing."""

    input: str
    psi: float | None = Field(description="Population stability index; null with too few candles.")
    says: str


class CandleNoteAnswer(Answer):
    """A candle that came late or was revised; what was stored and scored stays."""

    open_time: datetime
    kind: Literal["late", "revised"]
    detail: str


class DriftReportAnswer(MarketAnswer):
    """Whether a model is still true: verdicts by horizon, its inputs, and what was noted about candles."""

    name: str
    version: int | None
    verdicts: tuple[DriftAnswer, ...] = Field(description="The newest at each horizon.")
    inputs: tuple[InputDriftAnswer, ...] = Field(description="Empty without a model.")
    notes: tuple[CandleNoteAnswer, ...]
