"""A model as a folder for somebody else's program: graph, manifest, windows to try it on, and an example."""

from pathlib import Path

from make_us_rich.errors import UsageError
from make_us_rich.market.activity import MARKET_VARIANCE
from make_us_rich.market.files import disk_errors_named, write_atomically
from make_us_rich.models.forecast import NAIVE_BASELINES
from make_us_rich.registry.artifact import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, Artifact, TrendArtifact
from make_us_rich.registry.manifest import Manifest, TensorSpec
from make_us_rich.registry.trend_bundle import SIMULATED, trend_readme

README_FILE = "README.md"
EXAMPLE_FILE = "predict.py"

_EXAMPLES = Path(__file__).parent / "exported"
_TREND_EXAMPLE_FILE = "predict_trend.py"


def export_bundle(artifact: Artifact | TrendArtifact, folder: Path) -> tuple[Path, ...]:
    """Write the files of a bundle and return them; a folder that holds something is a `UsageError`."""
    if isinstance(artifact, TrendArtifact):
        example, text = _TREND_EXAMPLE_FILE, trend_readme(artifact.manifest)
    else:
        example, text = EXAMPLE_FILE, readme(artifact.manifest)
    contents = {
        MODEL_FILE: (artifact.folder / MODEL_FILE).read_bytes(),
        GOLDEN_FILE: (artifact.folder / GOLDEN_FILE).read_bytes(),
        EXAMPLE_FILE: (_EXAMPLES / example).read_bytes(),
        README_FILE: text.encode(),
        MANIFEST_FILE: (artifact.folder / MANIFEST_FILE).read_bytes(),  # last: with it the bundle is whole
    }
    with disk_errors_named(folder):
        _require_empty(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_atomically(folder / name, content)
    return tuple(folder / name for name in contents)


def readme(manifest: Manifest) -> str:
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


def _activity(manifest: Manifest) -> str:
    if not manifest.activity_columns:
        return ""
    told = "\n`activity` is as the source of the candles tells it; without it there is no forecast.\n"
    if not manifest.market_symbols:
        return told
    return (
        f"{told}`{MARKET_VARIANCE}` is the geometric mean, over {', '.join(manifest.market_symbols)}, of the "
        "variance of the\ncandle, 0.5 ln(high / low)² − (2 ln 2 − 1) ln(close / open)², at least 1e-16.\n"
    )


def _require_empty(folder: Path) -> None:
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name one that does not exist yet")
    if any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty; name a folder that does not exist yet, or empty this one")


def _shape(shape: tuple[str | int, ...]) -> str:
    return " × ".join(str(size) for size in shape)


def _row(manifest: Manifest, horizon: int) -> str:
    served_by, proof = manifest.served_by[str(horizon)], manifest.evidence_at(horizon)
    if served_by in NAIVE_BASELINES or proof is None:
        return f"| {horizon} | unknown | unknown | 0 | no: nothing is proven better than {served_by} |"
    skill = _percent(proof.skill.get("persistence"), "+.1%")
    return f"| {horizon} | {skill} | {_percent(proof.coverage_90, '.1%')} | {proof.blocks} | yes |"


def _percent(value: float | None, form: str) -> str:
    return "unknown" if value is None else format(value, form)
