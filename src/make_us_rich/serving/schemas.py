"""What the API answers with: its own records, so that nothing inside the house leaks by accident."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from make_us_rich.forecasting.kind import TOO_EARLY
from make_us_rich.settings import Market


class Answer(BaseModel):
    """A frozen JSON object."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class MarketAnswer(Answer):
    """An answer that belongs to a market; `notice` is set where the market is not a real one."""

    market: Market
    notice: str | None = Field(description="SIMULATED …, where prices were generated; null otherwise.")


class EvidenceAnswer(Answer):
    """How the forecaster did on folds nobody chose on; skill and p-value by yardstick."""

    n: int
    blocks: int
    skill: dict[str, float | None]
    p_value: dict[str, float | None]
    coverage_90: float | None


class LiveAnswer(Answer):
    """How past forecasts turned out; empty until they have been recorded and scored."""

    n: int = 0
    skill: float | None = Field(default=None, description="Against persistence, over all n.")
    skill_low: float | None = Field(default=None, description="Of its weekly-block 95 % interval.")
    skill_high: float | None = None
    coverage_90: float | None = None
    verdict: str | None = Field(default=TOO_EARLY, description="Null from eight whole weeks on.")


class StepAnswer(Answer):
    """The forecast of one close."""

    horizon: int = Field(description="In candles.")
    target_time: datetime
    median: float
    quantiles: dict[str, float] = Field(description="Price by quantile level.")
    probability_up: float
    served_by: str
    is_baseline: bool = Field(description="No model has passed the gate here; a naive baseline answers.")
    remark: str | None = Field(description="Why a baseline answers where a model had passed the gate.")
    evidence: EvidenceAnswer | None
    live: LiveAnswer


class ModelReference(Answer):
    """Which model answers; without a champion everything but its name and kind is null."""

    name: str
    version: int | None
    kind: str
    trained_at: datetime | None
    data_end: datetime | None


class ForecastContent(MarketAnswer):
    """The part of a forecast that never changes."""

    symbol: str
    timeframe: str
    cutoff: datetime = Field(description="Close time of the last candle the forecast knows.")
    last_close: float
    steps: tuple[StepAnswer, ...]
    recorded: bool = Field(description="Whether it stands in the journal and will be scored.")
    model: ModelReference


class ForecastAnswer(ForecastContent):
    """A forecast and its age at the moment of the answer."""

    stale: bool = Field(description="A newer candle should have arrived.")
    age_seconds: int = Field(description="Since the cutoff.")


class UnavailableAnswer(Answer):
    """A series without a forecast, and why."""

    symbol: str
    timeframe: str
    reason: str


class UnavailableNameAnswer(Answer):
    """A name of a further kind without a forecast, and why."""

    name: str
    reason: str


class ForecastListAnswer(MarketAnswer):
    """Every forecast in service, and the series for which there is none."""

    forecasts: tuple[ForecastAnswer, ...]
    unavailable: tuple[UnavailableAnswer, ...]
    others: tuple[dict[str, JsonValue], ...] = Field(
        default=(), description="Forecasts of further kinds, each in the shape of its kind."
    )
    others_unavailable: tuple[UnavailableNameAnswer, ...] = ()


class SeriesAnswer(Answer):
    """One stored series; times are open times of candles that have closed."""

    symbol: str
    timeframe: str
    source: str
    first: datetime | None
    last: datetime | None


class SymbolListAnswer(MarketAnswer):
    """Every stored series."""

    symbols: tuple[SeriesAnswer, ...]


class CandleAnswer(Answer):
    """One closed candle; volume in the base currency."""

    open_time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class CandleListAnswer(MarketAnswer):
    """The last closed candles, oldest first, as stored: gaps are not filled."""

    symbol: str
    timeframe: str
    source: str
    candles: tuple[CandleAnswer, ...]


class GapAnswer(Answer):
    """An interruption: `missing` candles after the one that opened at `after`."""

    after: datetime
    missing: int


class FindingAnswer(Answer):
    """How many candles have one defect, and where the first few are."""

    count: int
    open_times: tuple[datetime, ...]


class QualityAnswer(MarketAnswer):
    """What was found in one stored series."""

    symbol: str
    timeframe: str
    source: str
    first: datetime | None
    last: datetime | None
    expected: int
    present: int
    missing: int
    missing_share: float
    gaps: tuple[GapAnswer, ...]
    duplicate: FindingAnswer
    out_of_order: FindingAnswer
    off_grid: FindingAnswer
    impossible: FindingAnswer
    zero_volume: FindingAnswer
    extreme: FindingAnswer
    future: FindingAnswer


class ModelSummary(Answer):
    """One name on the shelf; `version` is the one in service, null while a naive baseline answers."""

    name: str
    kind: str
    version: int | None
    model: str | None
    trained_at: datetime | None
    data_end: datetime | None
    champion_version: int | None
    previous_version: int | None
    promoted_at: datetime | None
    reason: str | None
    versions: tuple[int, ...]
    problem: str | None = Field(description="Why the champion is not the version in service.")


class ModelListAnswer(MarketAnswer):
    """Every name on the shelf."""

    models: tuple[ModelSummary, ...]


class EvidenceDetail(EvidenceAnswer):
    """The evidence of one forecaster at one horizon."""

    horizon: int
    folds: int
    skill_sd: float | None
    coverage_se: float | None
    served_by: str


class SnapshotAnswer(Answer):
    """Which candles a model was fitted on."""

    hash: str
    first: datetime
    last: datetime
    rows: int


class ModelMaking(Answer):
    """How the version in service was made, enough to make it again."""

    symbol: str
    timeframe: str
    source: str
    window: int
    lookback: int
    horizons: tuple[int, ...]
    target: str
    experiment: dict[str, JsonValue]
    snapshot: SnapshotAnswer
    seed: int
    code_version: str
    library_versions: dict[str, str]


class DecisionAnswer(Answer):
    """One answer to "shall this version be served?"."""

    at: datetime
    version: int
    kind: str
    promoted: bool
    reasons: tuple[str, ...]


class ModelCard(ModelSummary, MarketAnswer):
    """Everything there is to say about a name: its making, its scores and its history."""

    served_by: dict[str, str] = Field(description="Forecaster by horizon.")
    evidence: dict[str, tuple[EvidenceDetail, ...]] = Field(description="By forecaster.")
    making: ModelMaking | None
    explanation: JsonValue = Field(description="What the model looks at; null where it was not recorded.")
    decisions: tuple[DecisionAnswer, ...]


class HealthAnswer(Answer):
    """The process runs."""

    status: str = "ok"


class ReadyAnswer(Answer):
    """Something can be served."""

    status: str = "ready"
    forecasts: int


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[dict[str, str]] | None = Field(default=None, description="Each refused part of the request.")


class OriginalPrediction(Answer):
    """What `PUT /predict` has always answered."""

    data: dict[str, dict[str, str | int | float | None]] = Field(
        description="Recent candles by column and row."
    )
    prediction: float = Field(description="Median of the next close.")


class OriginalRefusal(Answer):
    """What `PUT /predict` has always answered to a request without a token, with status 200."""

    error: str


class OriginalMessage(Answer):
    """One sentence."""

    message: str


class OriginalModelCount(OriginalMessage):
    """How many promoted models answer, and which; without any the key `models` is missing."""

    models: tuple[str, ...] | None = None
