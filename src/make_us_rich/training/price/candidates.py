"""From an experiment to the recipes that run through its folds."""

from dataclasses import replace

from make_us_rich.evaluation.walk_forward import FitJob, PriceCandidate
from make_us_rich.models.location_scale import FittedPrice
from make_us_rich.models.lstm import LstmOptions, fit_lstm
from make_us_rich.models.lstm_scale import LstmScale
from make_us_rich.models.original_fit import OriginalOptions, fit_original
from make_us_rich.models.scale_model import BlendScale, ScaleModel
from make_us_rich.models.volatility import fit_volatility
from make_us_rich.training.price.experiment import PriceExperiment


def price_candidates(experiment: PriceExperiment) -> tuple[PriceCandidate, ...]:
    """Return what the experiment's model sends through the folds, the yardstick first.

    A model that promises otherwise is a `ValueError`.
    """
    candidates = experiment.price_model.candidates(experiment)
    names = [candidate.name for candidate in candidates]
    if names[:1] != ["volatility"] or names[-1] != experiment.model or len(set(names)) < len(names):
        raise ValueError(
            f"{experiment.model}: candidates begin with volatility and end with the model itself, "
            f"each named once, found {', '.join(names)}"
        )
    return candidates


def volatility_candidates(_: PriceExperiment) -> tuple[PriceCandidate, ...]:
    """Return the volatility regression, always there as the yardstick."""
    return (PriceCandidate("volatility", 1, _fit_volatility),)


def lstm_candidates(experiment: PriceExperiment) -> tuple[PriceCandidate, ...]:
    """Return the yardstick and the network."""
    return (*volatility_candidates(experiment), _lstm(experiment))


def blend_candidates(experiment: PriceExperiment) -> tuple[PriceCandidate, ...]:
    """Return the yardstick, the network, and the blend, which takes over the fit of the network."""
    lstm = _lstm(experiment)
    return (*volatility_candidates(experiment), lstm, PriceCandidate("blend", lstm.window, _blend))


def original_candidates(experiment: PriceExperiment) -> tuple[PriceCandidate, ...]:
    """Return the yardstick and the published recipe."""
    return (*volatility_candidates(experiment), _original(experiment))


def _lstm(experiment: PriceExperiment) -> PriceCandidate:
    settings = experiment.lstm
    cold = LstmOptions(**settings.model_dump(exclude={"warm_start", "warm_epochs"}))
    warm = replace(cold, epochs=settings.warm_epochs)

    def fit(job: FitJob) -> ScaleModel:
        start = _network(job.previous.get("lstm")) if settings.warm_start == "folds" else None
        options = warm if start else cold
        network = fit_lstm(job.table, job.rows, options, experiment.seed, job.on_step, start=start)
        return ScaleModel(network, options.window)

    return PriceCandidate("lstm", cold.window, fit)


def _original(experiment: PriceExperiment) -> PriceCandidate:
    options = OriginalOptions(**experiment.original.model_dump())

    def fit(job: FitJob) -> ScaleModel:
        module = fit_original(job.table, job.rows, options, experiment.seed, job.on_step)
        return ScaleModel(module, options.window)

    return PriceCandidate("lstm-original", options.window, fit)


def _fit_volatility(job: FitJob) -> ScaleModel:
    module = fit_volatility(job.table, job.rows)
    if job.on_step is not None:
        job.on_step(1, 1)
    return ScaleModel(module, 1)


def _blend(job: FitJob) -> ScaleModel:
    lstm = job.fitted["lstm"]
    network = _network(lstm)
    if network is None or not isinstance(lstm, ScaleModel):
        raise TypeError("a blend needs a fitted lstm before it")
    if job.on_step is not None:
        job.on_step(1, 1)
    # the regression inside the network, which is the wide one: blending halves the network's correction
    return ScaleModel(BlendScale([network.volatility, network]), lstm.window)


def _network(fitted: FittedPrice | None) -> LstmScale | None:
    if isinstance(fitted, ScaleModel) and isinstance(fitted.module, LstmScale):
        return fitted.module
    return None
