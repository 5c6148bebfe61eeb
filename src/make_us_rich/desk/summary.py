"""What the desk has done since it started, counted from what it said."""

from dataclasses import dataclass, field

from make_us_rich.events.bus import Bus
from make_us_rich.events.records import CandleClosed, ForecastMade, Scored, TrainingChanged
from make_us_rich.registry.model_name import ModelName


@dataclass(frozen=True, slots=True)
class DeskSummary:
    """Counts, and skill and coverage over all scored prices; None without any.

    Candles, forecasts and scores are those of the pairs the desk follows, one forecast per horizon.
    """

    candles: int
    forecasts: int
    scored: int
    trainings: int
    promotions: int
    skill: float | None
    coverage_90: float | None


@dataclass(slots=True)
class SummaryCounter:
    """Listens to a bus and counts."""

    timeframe: str
    candles: int = 0
    forecasts: int = 0
    trainings: int = 0
    promotions: int = 0
    scores: list[Scored] = field(default_factory=list)

    def listen(self, bus: Bus) -> None:
        """Count everything that is said from now on."""
        bus.subscribe(CandleClosed, self._count_candles)
        bus.subscribe(ForecastMade, self._count_forecast)
        bus.subscribe(Scored, self._count_score)
        bus.subscribe(TrainingChanged, self._count_training)

    def summary(self) -> DeskSummary:
        """Return what was counted so far."""
        loss = sum(score.loss for score in self.scores)
        baseline_loss = sum(score.baseline_loss for score in self.scores)
        n_covered = sum(bool(score.is_covered) for score in self.scores)
        return DeskSummary(
            candles=self.candles,
            forecasts=self.forecasts,
            scored=len(self.scores),
            trainings=self.trainings,
            promotions=self.promotions,
            skill=1 - loss / baseline_loss if baseline_loss > 0 else None,
            coverage_90=n_covered / len(self.scores) if self.scores else None,
        )

    def _count_candles(self, event: CandleClosed) -> None:
        if event.timeframe == self.timeframe:
            self.candles += event.added

    def _count_forecast(self, event: ForecastMade) -> None:
        if event.has_quantiles and self._is_followed(event.name):
            self.forecasts += len(event.horizons)

    def _count_score(self, event: Scored) -> None:
        if event.is_covered is not None and self._is_followed(event.name):
            self.scores.append(event)

    def _count_training(self, event: TrainingChanged) -> None:
        self.trainings += event.state == "trained"
        self.promotions += event.promoted

    def _is_followed(self, name: str) -> bool:
        return ModelName.parse(name).timeframe.name == self.timeframe
