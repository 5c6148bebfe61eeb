"""From an experiment to the recipes that run through its folds."""

from make_us_rich.evaluation.walk_forward import OnStep, PriceCandidate
from make_us_rich.models.lstm import LstmOptions, fit_lstm
from make_us_rich.models.lstm_scale import LstmScale
from make_us_rich.models.price_table import PriceTable, Rows
from make_us_rich.models.volatility import VolatilityScale, fit_volatility
from make_us_rich.training.experiment import Experiment


def price_candidates(experiment: Experiment) -> tuple[PriceCandidate, ...]:
    """Return the volatility regression, always there as the yardstick, and the experiment's own model."""
    volatility = PriceCandidate("volatility", 1, _fit_volatility)
    if experiment.model == "volatility":
        return (volatility,)
    options = LstmOptions(**experiment.lstm.model_dump())

    def fit(table: PriceTable, rows: Rows, on_step: OnStep | None) -> LstmScale:
        return fit_lstm(table, rows, options, experiment.seed, on_step)

    return (volatility, PriceCandidate("lstm", options.window, fit))


def _fit_volatility(table: PriceTable, rows: Rows, on_step: OnStep | None) -> VolatilityScale:
    module = fit_volatility(table, rows)
    if on_step is not None:
        on_step(1, 1)
    return module
