"""After the trial: every candidate fitted once more on all days, exported, and the winner explained."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import DataError
from make_us_rich.evaluation.trends.explain import TrendExplanation, explain_classifier
from make_us_rich.evaluation.trends.folds import outer_rows
from make_us_rich.models.classifiers.candidates import FittedClassifier
from make_us_rich.models.classifiers.export import check_classifier_parity, export_classifier
from make_us_rich.models.trend_baselines import MomentumFit, base_rate, fit_momentum
from make_us_rich.training.trend.trial import TrendTrial, candidate_fits

GOLDEN_ROWS = 16
EXPLANATION_SECONDS = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class FinalModels:
    """What is kept of a coin and direction besides its evidence.

    `onnx` holds the exported candidates, `parameters` their settings, `parity` the largest difference
    between a candidate and its export over all outer rows. `golden` are features (16, 19) with the
    probabilities (16,) the winner must give for them.
    """

    onnx: Mapping[str, bytes]
    parameters: Mapping[str, Mapping[str, str | int | float | bool]]
    parity: Mapping[str, float]
    explanation: TrendExplanation
    golden: tuple[NDArray[np.float32], FloatArray]
    base_rate: float
    momentum: MomentumFit


def fit_finals(trial: TrendTrial) -> FinalModels:
    """Fit on every day whose event was decided; a candidate that now cannot be fitted is left out.

    Raises `DataError` where that is the winner, and `ArtifactError` where an export differs.
    """
    table, labels = trial.table, trial.walk.question.labels
    known = table.known_rows(0, len(table))
    fits = candidate_fits(trial.experiment)
    fitted: dict[str, FittedClassifier] = {}
    for name in trial.candidates:
        try:
            fitted[name] = fits[name](table.features[known], labels[known])
        except DataError:
            if name == trial.walk.winner:
                raise
    onnx = {name: export_classifier(one) for name, one in fitted.items()}
    outer = table.features[outer_rows(trial.walk.question.folds)]
    winner = fitted[trial.walk.winner]
    golden = table.features[known[np.linspace(0, len(known) - 1, GOLDEN_ROWS).round().astype(int)]]
    return FinalModels(
        onnx=onnx,
        parameters={name: one.parameters for name, one in fitted.items()},
        parity={name: check_classifier_parity(one, onnx[name], outer) for name, one in fitted.items()},
        explanation=explain_classifier(
            winner, table.features[known], trial.experiment.seed, max_seconds=EXPLANATION_SECONDS
        ),
        golden=(golden, winner.probability(golden)),
        base_rate=base_rate(labels, known),
        momentum=fit_momentum(table.candles.ohlcv, labels, known),
    )
