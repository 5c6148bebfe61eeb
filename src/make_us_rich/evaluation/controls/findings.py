"""What the controls found: one record per walk and per planted leak, JSON-able."""

from collections.abc import Sequence
from dataclasses import dataclass

from make_us_rich.arrays import FloatArray
from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.controls.direction import LOCATED, direction_claims, with_location
from make_us_rich.evaluation.controls.walks import ORACLE, ControlWalk, scale_error, with_oracle
from make_us_rich.evaluation.evidence import loss_advantage, skill
from make_us_rich.evaluation.metrics import covered
from make_us_rich.evaluation.reporting.facts import Verdict
from make_us_rich.models.price_table import PriceTable

ERROR_LAGS = (1, 24, 72, 168)
_FIRST = 0


@dataclass(frozen=True, slots=True)
class WalkFinding:
    """What the pipeline made of one walk; p-values and skill are those of the first horizon.

    `served_by` and `passed` are per horizon; `against_oracle` has the fitted models' p-values, `oracle_skill`
    the oracle's skill against persistence, `scale_error` per model the standard deviation of its log scale
    against the oracle's and the autocorrelation of that at `ERROR_LAGS` hours. `week_memory` is the
    correlation of one week's mean loss difference, candidate against `volatility`, with the next week's.
    """

    seed: int
    served_by: tuple[str, ...]
    passed: tuple[bool, ...]
    skill: float
    coverage_90: float
    against_persistence: dict[str, float]
    against_oracle: dict[str, float]
    oracle_skill: float
    claims: tuple[str, ...]
    location: float
    scale_error: dict[str, tuple[float, ...]]
    week_memory: float


@dataclass(frozen=True, slots=True)
class LeakFinding:
    """What the leak check and the gate said of a planted leak.

    `refused` are the columns the check named, `gate` the gate's own words, `warnings` what the scores called
    too good to be true.
    """

    what: str
    is_clean: bool
    refused: tuple[str, ...]
    gate: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_on_walk(
    walk: ControlWalk,
    backtest: Backtest,
    table: PriceTable,
    candidate: str,
    verdicts: Sequence[Verdict],
) -> WalkFinding:
    """Return what a pipeline made of a walk, its own forecasts measured beside the oracle's."""
    known = with_oracle(backtest, walk)
    located = with_location(backtest, table, candidate)
    models = dict.fromkeys(("volatility", candidate))
    loss = {name: known.loss(name)[:, _FIRST] for name in (candidate, ORACLE, "persistence")}
    inside = covered(known.quantiles[candidate][:, _FIRST], known.returns[:, _FIRST])
    return WalkFinding(
        seed=walk.seed,
        served_by=tuple(verdict.served_by for verdict in verdicts),
        passed=tuple(verdict.passed for verdict in verdicts),
        skill=skill(loss[candidate], loss["persistence"]),
        coverage_90=float(inside.mean()),
        against_persistence={name: p_value(known, name, "persistence") for name in models},
        against_oracle={name: p_value(known, name, ORACLE) for name in models},
        oracle_skill=skill(loss[ORACLE], loss["persistence"]),
        claims=direction_claims(backtest),
        location=p_value(located, LOCATED, candidate),
        scale_error={name: _spread_and_memory(scale_error(known, name, _FIRST)) for name in models},
        week_memory=_memory(loss_advantage(backtest, candidate, "volatility", _FIRST).values, 1),
    )


def p_value(backtest: Backtest, name: str, other: str) -> float:
    """Return the block test's p-value that one forecaster is better than another at the first horizon."""
    return loss_advantage(backtest, name, other, _FIRST).p_value_above_zero()


def _spread_and_memory(error: FloatArray) -> tuple[float, ...]:
    return (float(error.std()), *(_memory(error, lag) for lag in ERROR_LAGS))


def _memory(values: FloatArray, lag: int) -> float:
    centred = values - values.mean()
    total = float(centred @ centred)
    return float(centred[lag:] @ centred[:-lag]) / total if total > 0 else 0.0
