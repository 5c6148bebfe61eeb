"""How trend models are made: one trainer of both directions, since a pool is one experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from make_us_rich.features.trend_labels import Direction
from make_us_rich.forecasting.trend.artifact import TrendArtifact
from make_us_rich.forecasting.trend.kind import direction_of
from make_us_rich.forecasting.trend.manifest import TrendManifest
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.registry.artifact import ArtifactDraft
from make_us_rich.registry.model_name import ModelName
from make_us_rich.training.fits import Fit, Fitted, Judged, Judgement, Occasion, OnProgress
from make_us_rich.training.reproduced import Reproduction
from make_us_rich.training.trained import Choice, Evidence, TriedForecaster
from make_us_rich.training.trainer import TrainerDefaults
from make_us_rich.training.trend.drafting import draft_trend
from make_us_rich.training.trend.experiment import TrendExperiment, build_trend, preset_trend
from make_us_rich.training.trend.finals import FinalModels
from make_us_rich.training.trend.judgement import judge_pool, judge_result
from make_us_rich.training.trend.reproduction import reproduce_trend
from make_us_rich.training.trend.result import TrendResult, train_direction
from make_us_rich.training.trend.rivals import compare

_DIRECTIONS: Mapping[str, tuple[Direction, ...]] = {"trend-up": ("up",), "trend-down": ("down",)}


class TrendTrainer(TrainerDefaults[TrendExperiment, TrendResult]):
    """A pool of candidates per coin and direction, judged alone and with all other coins."""

    kind = "trend"
    presets = ("trend",)
    usual_timeframe = "1d"
    directions = ("up", "down")
    is_pooled = True

    def parse(self, content: Mapping[str, Any], origin: str) -> TrendExperiment:
        """Return the experiment of a mapping."""
        return build_trend(content, origin)

    def preset(self, preset: str, symbol: str, changes: Mapping[str, Any]) -> TrendExperiment:
        """Return the preset for a coin; the name of one of the kinds limits it to that direction."""
        limited = {"directions": _DIRECTIONS.get(preset)}
        return preset_trend(symbol, **{**limited, **changes})

    def names(self, experiment: TrendExperiment) -> tuple[str, ...]:
        """Return a name per direction."""
        return tuple(experiment.name(direction) for direction in experiment.directions)

    def fit(
        self,
        experiment: TrendExperiment,
        name: str,
        occasion: Occasion,
        on_progress: OnProgress | None,  # noqa: ARG002
    ) -> Fit[TrendResult]:
        """Try and fit one direction; what may serve by its own evidence is compared with the champion's."""
        result = train_direction(experiment, direction_of(ModelName.parse(name)), occasion)
        verdict, rival = judge_result(result, {}), occasion.rivals.get(name)
        is_rivalled = rival is not None and verdict.passed
        comparison = compare(result, occasion, cast(TrendManifest, rival)) if is_rivalled else None
        return Fit(result, verdict, comparison=comparison)

    def judge(self, fitted: Sequence[Fitted[TrendExperiment, TrendResult]]) -> Judgement:
        """Judge every coin on its own and with all others of its direction."""
        return judge_pool([one.fit.content for one in fitted])

    def draft(self, judged: Judged[TrendExperiment, TrendResult]) -> ArtifactDraft:
        """Return the artifact with its report."""
        return draft_trend(judged)

    def evidence(self, fitted: Fitted[TrendExperiment, TrendResult]) -> tuple[Evidence, ...]:
        """Return the evidence of every forecaster."""
        result = fitted.fit.content
        return tuple(
            TriedForecaster(
                **{one.name: getattr(record, one.name) for one in fields(record)},
                published=dict(result.published.get(name, {})),
            )
            for name, record in result.evidence.items()
        )

    def words(self, fitted: Fitted[TrendExperiment, TrendResult]) -> str:
        """Return the direction and who won."""
        return f"{fitted.fit.content.direction} {fitted.fit.content.winner}"

    def choice(self, judged: Judged[TrendExperiment, TrendResult]) -> Choice:
        """Return the winner, who serves, and what was left out."""
        result = judged.fitted.fit.content
        return Choice(result.winner, judged.verdict.served_by, dict(result.dropped))

    def candidates(self, fitted: Fitted[TrendExperiment, TrendResult]) -> FinalModels:
        """Return every candidate fitted on all days."""
        return fitted.fit.content.models

    def reproduce(
        self,
        artifact: TrendArtifact,
        snapshot: Snapshot,
        on_progress: OnProgress | None,  # noqa: ARG002
    ) -> Reproduction:
        """Walk forward and fit again, and compare scores and golden probabilities."""
        return reproduce_trend(artifact, snapshot)
