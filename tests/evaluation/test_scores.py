import math

import numpy as np
import pytest

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.evaluation.scores import HorizonScores, fold_skill, horizon_scores, implausible
from make_us_rich.models.quantiles import MEDIAN, QUANTILE_LEVELS


def test_perfect_forecast_has_no_loss_no_error_and_no_width(make_backtest):
    backtest = make_backtest({"oracle": 0.0})
    backtest.quantiles["oracle"] = np.repeat(backtest.returns[..., None], len(QUANTILE_LEVELS), axis=-1)
    scores = horizon_scores(backtest, "oracle", 0)
    assert scores.quantile_loss == scores.crps == scores.width[0.9] == 0
    assert scores.mae == pytest.approx(0, abs=1e-9)
    assert scores.coverage == {0.5: 1.0, 0.8: 1.0, 0.9: 1.0, 0.95: 1.0}
    assert scores.direction == 1.0


def test_forecast_of_the_last_close_has_the_error_of_the_naive_one_and_no_direction(make_backtest):
    scores = horizon_scores(make_backtest({"flat": 1.0}), "flat", 1)
    assert scores.mase == scores.rmse_ratio == 1.0
    assert math.isnan(scores.direction)


def test_scores_equal_those_worked_out_row_by_row(make_backtest):
    backtest = make_backtest({"wide": 2.0}, weeks=2)
    scores = horizon_scores(backtest, "wide", 1)
    loss, inside, errors = [], [], []
    for quantiles, actual in zip(backtest.quantiles["wide"][:, 1], backtest.returns[:, 1], strict=True):
        pairs = zip(QUANTILE_LEVELS, quantiles, strict=True)
        loss.append(sum(max(q * (actual - v), (q - 1) * (actual - v)) for q, v in pairs) / 13)
        inside.append(quantiles[2] <= actual <= quantiles[10])
        errors.append(100 * math.exp(actual) - 100 * math.exp(quantiles[MEDIAN]))
    assert scores.quantile_loss == pytest.approx(sum(loss) / len(loss))
    assert scores.coverage[0.8] == pytest.approx(sum(inside) / len(inside))
    assert scores.rmse == pytest.approx(math.sqrt(sum(e * e for e in errors) / len(errors)))


def test_market_that_never_moves_leaves_the_error_ratios_undefined(make_backtest):
    backtest = make_backtest({"flat": 1.0})
    backtest.returns[:] = 0
    scores = horizon_scores(backtest, "flat", 0)
    assert scores.mae == 0
    assert math.isnan(scores.mase)
    assert math.isnan(scores.rmse_ratio)


def test_fold_skill_is_that_of_each_fold_alone():
    loss, baseline = np.array([1.0, 1.0, 3.0, 3.0]), np.array([2.0, 2.0, 3.0, 3.0])
    assert fold_skill(loss, baseline, np.array([5, 5, 6, 6])) == (0.5, 0.0)


@pytest.mark.parametrize(
    ("direction", "rmse_ratio", "width_skill", "n", "said"),
    [
        (0.55, 1.0, 0.04, 24_000, False),
        (0.61, 1.0, 0.04, 12_000, True),
        (0.61, 1.0, 0.04, 11_000, False),  # 458 forecasts that do not overlap are too few to tell
        (math.nan, 0.96, 0.04, 1_000, True),
        (math.nan, 1.0, 0.07, 24_000, True),
        (math.nan, 1.0, 0.07, 11_000, False),
    ],
)
def test_what_is_too_good_to_be_true_is_said(direction, rmse_ratio, width_skill, n, said):
    scores = HorizonScores(0.1, 0.1, {}, {}, 1.0, 1.0, 0.1, 1.0, rmse_ratio, direction)
    skill = {"persistence": 0.05, "ewma_persistence": width_skill, "volatility": 0.0}
    evidence = HorizonEvidence(24, 4, 20, n, skill, 0.01, dict.fromkeys(skill, 0.5), 0.9, 0.01, "lstm")
    assert bool(implausible(scores, evidence)) == said
