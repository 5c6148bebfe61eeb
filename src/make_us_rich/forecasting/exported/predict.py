"""Run the exported model; this needs numpy and onnxruntime, and nothing of Make Us Rich."""

import json
import os
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    """Forecast from the windows in golden.npz, and check that this machine computes what was exported."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, or it reports its use
    import onnxruntime

    manifest = json.loads((HERE / "manifest.json").read_text())
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
    golden = np.load(HERE / "golden.npz", allow_pickle=False)
    # Put your own candles here: shapes and types are in the manifest, the order is oldest first.
    inputs = {spec["name"]: golden[spec["name"]] for spec in manifest["inputs"]}
    (prices,) = session.run(["quantiles"], inputs)  # (batch, horizon, level)
    if not np.allclose(prices, golden["quantiles"], rtol=1e-6, atol=0.0):
        raise SystemExit("this machine computes other numbers than the one that exported the model")
    levels = manifest["quantile_levels"]
    for row, horizon in zip(prices[-1], manifest["horizons"], strict=True):
        low, median, high = (row[levels.index(level)] for level in (0.05, 0.5, 0.95))
        print(f"{horizon} candles ahead: {median:.6g}, 90 % between {low:.6g} and {high:.6g}")


if __name__ == "__main__":
    main()
