"""Toy trend versions as a pool leaves them: evidence of several candidates, and what each exported."""

import math
from dataclasses import dataclass, replace

from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.testing.trend_artifacts import ToyTrendModel, toy_trend_draft, toy_trend_evidence

CANDIDATES = ("Ridge", "MLP")
EVEN = ToyTrendModel(intercept=0.0)  # one half where the indicator is 0


@dataclass(frozen=True, slots=True)
class Exported:
    """What a training exported."""

    onnx: dict[str, bytes]
    parameters: dict[str, dict[str, str | int | float | bool]]
    parity: dict[str, float]


def exported(*candidates):
    names = candidates or CANDIDATES
    return Exported(
        onnx={name: EVEN.to_onnx() for name in names},
        parameters={name: {"alpha": 100.0, "class_weight": "balanced"} for name in names},
        parity=dict.fromkeys(names, 3e-7),
    )


def trend_draft(symbol="SOL/USDT", candidates=CANDIDATES):
    toy = toy_trend_draft(model=EVEN).manifest
    unbounded = {"skill_high": dict.fromkeys(TREND_BASELINES, math.nan)}
    changes = {
        "model": candidates[0],
        "served_by": "random_walk",
        "evidence": {
            name: replace(toy_trend_evidence(name, skill=-0.02), **unbounded)
            for name in (*TREND_BASELINES, *candidates, "pool")
        },
        "published": dict.fromkeys((*candidates, "pool"), toy.published["pool"]),
        "chosen": {"160": candidates[0]},
    }
    return toy_trend_draft(symbol=symbol, model=EVEN, changes=changes)
