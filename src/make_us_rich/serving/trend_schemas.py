"""What the API says about trends: its own records, as in `serving.schemas`."""

from datetime import datetime

from pydantic import Field, JsonValue

from make_us_rich.features.trend_labels import Direction, LabelKind
from make_us_rich.serving.schemas import (
    Answer,
    DecisionAnswer,
    MarketAnswer,
    ModelReference,
    ModelSummary,
    SnapshotAnswer,
)


class TrendLabelAnswer(Answer):
    """The event the probability is of."""

    kind: LabelKind
    average: int = Field(description="Candles of the average, where the event is about one.")
    horizon: int = Field(description="In candles.")
    threshold: float = Field(description="A fraction: 0.05 is 5 %.")


class YardstickAnswer(Answer):
    """What the baselines say at the same cutoff; null where one could not be fitted."""

    base_rate: float | None
    momentum: float | None
    random_walk: float | None


class TrendEvidenceAnswer(Answer):
    """How the recipe did on folds nobody chose on; skill (of the Brier score) and p-value by baseline."""

    forecaster: str
    n: int
    blocks: int
    roc_auc: float | None
    brier: float | None
    skill: dict[str, float | None]
    p_value: dict[str, float | None]


class ChallengerAnswer(Answer):
    """A shelved model that does not answer, shown beside what does."""

    version: int
    model: str
    probability: float
    is_proven: bool = Field(description="Whether its own evidence passed the promotion rule.")


class TrendContent(Answer):
    """The part of a trend forecast that never changes."""

    symbol: str
    timeframe: str
    direction: Direction
    cutoff: datetime = Field(description="Close time of the last candle the forecast knows.")
    target_time: datetime
    last_close: float
    label: TrendLabelAnswer
    probability: float
    served_by: str
    is_baseline: bool = Field(description="No model is proven better; a baseline answers.")
    baselines: YardstickAnswer
    challenger: ChallengerAnswer | None
    evidence: TrendEvidenceAnswer | None
    model: ModelReference


class TrendAnswer(TrendContent, MarketAnswer):
    """A trend forecast and its age at the moment of the answer."""

    stale: bool = Field(description="A newer candle should have arrived.")
    age_seconds: int = Field(description="Since the cutoff.")
    recorded: bool = Field(description="The probability is the one that stands in the journal.")


class UnavailableTrendAnswer(Answer):
    """A trend nothing can be said about, and why."""

    symbol: str
    timeframe: str
    direction: Direction
    reason: str


class TrendListAnswer(MarketAnswer):
    """Trends, the most probable first, and those nothing can be said about."""

    trends: tuple[TrendAnswer, ...]
    unavailable: tuple[UnavailableTrendAnswer, ...]


class CalibrationAnswer(Answer):
    """Forecasts of nearly the same probability: how many, their mean, and how often the event came."""

    n: int
    forecast: float
    observed: float


class TrendEvidenceDetail(TrendEvidenceAnswer):
    """Everything that is known about one forecaster on outer folds."""

    folds: int
    base_rate: float | None
    pr_auc: float | None
    log_loss: float | None
    skill_low: dict[str, float | None]
    skill_high: dict[str, float | None]
    calibration: tuple[CalibrationAnswer, ...]


class PublishedAnswer(Answer):
    """The scores and counts of the second published system."""

    accuracy: float
    precision: float
    positive_accuracy: float
    negative_accuracy: float
    overall_score: float
    true_positives: int
    false_positives: int
    true_negatives: int
    false_negatives: int


class TrendMaking(Answer):
    """How the described version was made, enough to make it again."""

    symbol: str
    timeframe: str
    source: str
    features: tuple[str, ...]
    lookback: int
    chosen: dict[str, str] = Field(description="The candidate chosen for each fold.")
    dropped: dict[str, str] = Field(description="Candidates that were left out, and why.")
    experiment: dict[str, JsonValue]
    snapshot: SnapshotAnswer
    seed: int
    code_version: str
    library_versions: dict[str, str]


class TrendModelCard(ModelSummary, MarketAnswer):
    """Everything there is to say about a trend name: the version in service, or else the newest."""

    described_version: int = Field(description="The version in service; the newest where there is none.")
    candidate: str = Field(description="The classifier in the described version.")
    served_by: str = Field(description="The forecaster the described version is served by.")
    label: TrendLabelAnswer
    evidence: dict[str, TrendEvidenceDetail] = Field(description="By forecaster; `pool` is the recipe.")
    published: dict[str, PublishedAnswer] = Field(description="By forecaster.")
    making: TrendMaking
    explanation: JsonValue = Field(description="SHAP values by feature; null where not recorded.")
    decisions: tuple[DecisionAnswer, ...]


class OriginalMetrics(Answer):
    """The five published scores."""

    positive_accuracy: float
    negative_accuracy: float
    overall_score: float
    accuracy: float
    precision: float


class OriginalTrendModel(Answer):
    """One entry of what `GET /models` has always answered."""

    symbol: str
    trend_type: str
    feature_importance: dict[str, float]
    performance_metrics: OriginalMetrics
    target_pct: float
    prediction_window_days: int


class OriginalTrendPrediction(Answer):
    """What `GET /prediction` has always answered."""

    prediction_probabilities: float = Field(description="The probability of the trend.")
    symbol: str
    trend_type: str
