"""Fit a classifier on the earlier days of a history and make its probabilities true on the later ones."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from make_us_rich.arrays import FloatArray
from make_us_rich.errors import DataError, NotEnoughHistoryError
from make_us_rich.models.classifiers.calibration import PlattScaling, fit_platt, logistic
from make_us_rich.models.classifiers.estimators import CLASSIFIERS, fit_pipeline
from make_us_rich.models.classifiers.scores import pipeline_scores

__all__ = ["CLASSIFIERS", "FittedClassifier", "fit_classifier"]

FIT_SHARE = 0.8
MINIMUM_ROWS = 200  # of which the last fifth calibrates, less the embargo


@dataclass(frozen=True, slots=True)
class FittedClassifier:
    """A candidate with its calibration; features are (n, f), taken as float32 as in the exported model."""

    name: str
    pipeline: Pipeline
    scaling: PlattScaling

    def scores(self, features: NDArray[np.floating]) -> FloatArray:
        """Return the score (n,) the calibration starts from."""
        with threadpool_limits(1):
            return pipeline_scores(self.pipeline, _as_exported(features))

    def probability(self, features: NDArray[np.floating]) -> FloatArray:
        """Return the calibrated probability (n,) of the label."""
        return self.scaling.probability(self.scores(features))

    def raw_probability(self, features: NDArray[np.floating]) -> FloatArray:
        """Return the probability (n,) before calibration, under the class weights of the fit.

        A support vector machine and a ridge have none: theirs is the logistic of the decision function, so
        that it passes 0.5 where their class changes.
        """
        return logistic(self.scores(features))

    @property
    def parameters(self) -> Mapping[str, str | int | float | bool]:
        """The settings of the estimator and of its calibration, for a record of the run."""
        settings = self.pipeline[-1].get_params(deep=False)
        plain = {key: _plain(value) for key, value in settings.items() if value is not None}
        return plain | {
            "calibration_slope": self.scaling.slope,
            "calibration_intercept": self.scaling.intercept,
        }


def fit_classifier(
    name: str, features: NDArray[np.floating], labels: NDArray[np.floating], *, seed: int, embargo: int
) -> FittedClassifier:
    """Fit a candidate on features (n, f) and labels (n,) of 0 and 1, rows in the order of their days.

    The first 80 % fit the classifier, `embargo` rows (the horizon of the label, at least 1) are left out,
    and the rest calibrates. Raises `NotEnoughHistoryError` below 200 rows and `DataError` where the rows to
    fit on hold one class only or no feature varies.
    """
    if name not in CLASSIFIERS:
        raise ValueError(f"no candidate is named {name!r}")
    if not (np.isfinite(features).all() and np.isin(labels, (0, 1)).all()):
        raise ValueError("features must be finite and labels 0 or 1")
    n_fit = int(FIT_SHARE * len(labels))
    start = n_fit + max(embargo, 1)
    if len(labels) < MINIMUM_ROWS or start >= len(labels):
        raise NotEnoughHistoryError(
            f"{name}: {len(labels)} labelled days; at least {MINIMUM_ROWS} are needed, take a longer history"
        )
    exact, classes = _as_exported(features), labels.astype(np.int64)
    if (exact[:n_fit] == exact[0]).all():
        raise DataError(f"{name}: no feature varies in the {n_fit} days to fit on; is the price constant?")
    _refuse_one_class(name, classes[:n_fit], "to fit on")
    with threadpool_limits(1):  # OpenMP and BLAS threads collapse when the processor is shared
        pipeline = fit_pipeline(name, exact[:n_fit], classes[:n_fit], seed)
        scores = pipeline_scores(pipeline, exact[start:])
    scaling = fit_platt(scores, labels[start:], _base_rate(labels, n_fit, start), overlap=max(embargo, 1))
    return FittedClassifier(name, pipeline, scaling)


def _as_exported(features: NDArray[np.floating]) -> FloatArray:
    # the exported model takes float32, and works with them in float64; so does everything here
    return np.asarray(features, dtype=np.float32).astype(np.float64)


def _base_rate(labels: NDArray[np.floating], n_fit: int, start: int) -> float:
    return float(np.concatenate([labels[:n_fit], labels[start:]]).mean())


def _refuse_one_class(name: str, classes: NDArray[np.int64], purpose: str) -> None:
    if classes.min() == classes.max():
        raise DataError(
            f"{name}: all {len(classes)} days {purpose} have the label {classes[0]}; "
            "take a longer history or a smaller threshold"
        )


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)
