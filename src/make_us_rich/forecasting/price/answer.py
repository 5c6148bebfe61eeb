"""What the API says about prices and their models, in JSON types."""

from typing import Any

import numpy as np
from pydantic import TypeAdapter

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.forecasting.kind import TOO_EARLY, Live, Served
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.models.quantiles import LEVEL_KEYS, probability_above

_NO_LIVE = Live(0, None, None, None, None, TOO_EARLY)
_MAKING = (
    "symbol", "timeframe", "source", "window", "lookback", "horizons", "target", "experiment", "snapshot",
    "seed", "code_version", "library_versions",
)  # fmt: skip
_ADAPTER = TypeAdapter(HorizonEvidence)
_EVIDENCE = ("n", "blocks", "skill", "p_value", "coverage_90")


def step_answers(served: Served) -> list[dict[str, Any]]:
    """Return the forecast horizon by horizon, each with its evidence and its live record."""
    forecast, champion = served.forecast, served.models.champion
    answers = []
    for step in forecast.steps:
        if step.quantiles is None:
            continue
        evidence = champion.manifest.evidence_at(step.horizon) if champion else None
        answers.append(
            {
                "horizon": step.horizon,
                "target_time": step.target_time,
                "median": step.median,
                "quantiles": dict(zip(LEVEL_KEYS, step.quantiles, strict=True)),
                "probability_up": probability_above(np.asarray(step.quantiles), forecast.last_close),
                "served_by": step.served_by,
                "is_baseline": step.is_baseline,
                "remark": step.remark,
                "evidence": _evidence(evidence),
                "live": served.live.get(step.horizon, _NO_LIVE),
            }
        )
    return answers


def model_card(manifest: PriceManifest | None) -> dict[str, Any]:
    """Return what a card says about the version in service; without one it is empty."""
    if manifest is None:
        return {"served_by": {}, "evidence": {}, "making": None}
    return {
        "served_by": manifest.served_by,
        "evidence": manifest.model_dump(mode="json", include={"evidence"})["evidence"],
        "making": manifest.model_dump(mode="json", include=set(_MAKING)),
    }


def _evidence(record: HorizonEvidence | None) -> dict[str, Any] | None:
    if record is None:
        return None
    told: dict[str, Any] = _ADAPTER.dump_python(record, mode="json", include=set(_EVIDENCE))
    return told
