"""What somebody has to know who gets a trend model as a folder."""

from importlib import resources
from math import isnan, nan

from make_us_rich.evaluation.trends.evidence import POOL
from make_us_rich.forecasting.price.bundle import SIMULATED
from make_us_rich.forecasting.trend.manifest import TrendManifest
from make_us_rich.models.trend_baselines import TREND_BASELINES
from make_us_rich.registry.bundle import BundleTexts


def trend_bundle(manifest: TrendManifest) -> BundleTexts:
    """Return what is put beside the graph of a trend model."""
    example = resources.files("make_us_rich.forecasting") / "exported" / "predict_trend.py"
    return BundleTexts(trend_readme(manifest), example.read_text("utf-8"))


def trend_readme(manifest: TrendManifest) -> str:
    """Return what the folder is, what it reads, and whether to use it."""
    label = manifest.label
    features = "\n".join(f"{place}. `{name}`" for place, name in enumerate(manifest.features, 1))
    rows = "\n".join(_row(manifest, baseline) for baseline in TREND_BASELINES)
    return f"""# {manifest.name}, version {manifest.version}

Says how probable a trend of {manifest.symbol} is. Model `{manifest.model}`, trained on candles of
{manifest.source} up to {manifest.data_end:%Y-%m-%d %H:%M} UTC by Make Us Rich {manifest.code_version}.

| event | `{label.kind}` |
|---|---|
| direction | {manifest.direction} |
| threshold | {label.threshold:.3g} |
| horizon, in candles of {manifest.timeframe} | {label.horizon} |
| average, in candles | {label.average if label.kind == "sma-change" else "none"} |
{SIMULATED if manifest.market == "simulated" else ""}
    pip install numpy onnxruntime
    python predict.py

**{_advice(manifest)}**

`features` is float32 (batch, {len(manifest.features)}), computed with TA-Lib from the last
{manifest.lookback} closed candles without gaps, in this order:

{features}

The answer, `probability`, is float64 (batch,), calibrated. How the recipe did on days nobody chose on, by the
Brier score:

| against | skill | p | blocks of 40 days |
|---|---|---|---|
{rows}
"""


def _advice(manifest: TrendManifest) -> str:
    if manifest.served_by == manifest.model:
        return "It is proven better than every baseline."
    return f"It is not proven better than the baselines: {manifest.served_by} answers in its place."


def _row(manifest: TrendManifest, baseline: str) -> str:
    record = manifest.evidence.get(POOL)
    if record is None:
        return f"| {baseline} | unknown | unknown | 0 |"
    skill, p_value = record.skill.get(baseline, nan), record.p_value.get(baseline, nan)
    said = "unknown" if isnan(skill) else f"{skill:+.1%}"
    return f"| {baseline} | {said} | {'unknown' if isnan(p_value) else f'{p_value:.3f}'} | {record.blocks} |"
