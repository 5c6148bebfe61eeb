"""What somebody has to know who gets a price model as a folder."""

from importlib import resources
from math import isnan, nan

from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.models.quantiles import NAIVE_BASELINES
from make_us_rich.registry.artifact import MANIFEST_FILE
from make_us_rich.registry.bundle import EXAMPLE_FILE, BundleTexts
from make_us_rich.registry.manifest import TensorSpec

SIMULATED = "\n**SIMULATED**: made from generated candles of a market that does not exist.\n"


def price_bundle(manifest: PriceManifest) -> BundleTexts:
    """Return what is put beside the graph of a price model."""
    example = resources.files("make_us_rich.forecasting") / "exported" / "predict.py"
    return BundleTexts(readme(manifest), example.read_text("utf-8"))


def readme(manifest: PriceManifest) -> str:
    """Return what somebody who gets the folder has to know, the yardstick of every horizon included."""
    inputs = "\n".join(map(_input, manifest.inputs))
    rows = "\n".join(_row(manifest, horizon) for horizon in manifest.horizons)
    return f"""# {manifest.name}, version {manifest.version}

Forecasts the coming closes of {manifest.symbol}, candles of {manifest.timeframe}, as
{len(manifest.quantile_levels)} quantiles in prices. Model `{manifest.model}`, trained on candles of
{manifest.source} up to {manifest.data_end:%Y-%m-%d %H:%M} UTC by Make Us Rich {manifest.code_version}.
{SIMULATED if manifest.market == "simulated" else ""}
    pip install numpy onnxruntime
    python {EXAMPLE_FILE}

The graph holds everything, features and scaling too. It takes:

{inputs}
{_activity(manifest)}
Candles must be closed, without gaps and in order; the last one is the one that has just closed. The answer,
`quantiles`, is (batch, horizon, level), horizons and levels in the order of `{MANIFEST_FILE}`.

How it did on candles nobody chose on, against repeating the last close:

| candles ahead | skill | 90 % interval held | whole weeks | use it |
|---|---|---|---|---|
{rows}
"""


def _input(one: TensorSpec) -> str:
    columns = f": {', '.join(f'`{name}`' for name in one.columns)}" if one.columns else ""
    return f"- `{one.name}`: {one.dtype}, {_shape(one.shape)}{columns}"


def _activity(manifest: PriceManifest) -> str:
    if not manifest.activity_columns:
        return ""
    told = ""
    if any("." not in name for name in manifest.activity_columns):
        told = (
            "\nWhat was traded is as the source of the candles tells it; without it there is no forecast.\n"
        )
    if any("." in name for name in manifest.activity_columns):
        told += "\nA column `a.b` is column b of the feature a; NaN where it says nothing.\n"
    if MARKET_VARIANCE not in manifest.activity_columns:
        return told
    return (
        f"{told}`{MARKET_VARIANCE}` is the geometric mean, over {', '.join(manifest.market_symbols)}, of the "
        "variance of the\ncandle, 0.5 ln(high / low)² − (2 ln 2 − 1) ln(close / open)², at least 1e-16.\n"
    )


def _shape(shape: tuple[str | int, ...]) -> str:
    return " × ".join(str(size) for size in shape)


def _row(manifest: PriceManifest, horizon: int) -> str:
    served_by, proof = manifest.served_by[str(horizon)], manifest.evidence_at(horizon)
    if served_by in NAIVE_BASELINES or proof is None:
        return f"| {horizon} | unknown | unknown | 0 | no: nothing is proven better than {served_by} |"
    skill = _percent(proof.skill.get("persistence", nan), "+.1%")
    return f"| {horizon} | {skill} | {_percent(proof.coverage_90, '.1%')} | {proof.blocks} | yes |"


def _percent(value: float, form: str) -> str:
    return "unknown" if isnan(value) else format(value, form)
