"""Run the exported trend model; this needs numpy and onnxruntime, and nothing of Make Us Rich."""

import json
import os
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def main() -> None:
    """Say the probabilities of the days in golden.npz, and check that this machine computes the same."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # before the import, or it reports its use
    import onnxruntime

    manifest = json.loads((HERE / "manifest.json").read_text())
    session = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
    golden = np.load(HERE / "golden.npz", allow_pickle=False)
    # Put your own indicators here: their names and order are in the manifest, one row per day.
    (probability,) = session.run(["probability"], {"features": golden["features"]})
    if not np.allclose(probability, golden["probability"], rtol=0.0, atol=1e-5):
        raise SystemExit("this machine computes other numbers than the one that exported the model")
    for row, value in enumerate(probability):
        print(f"day {row}: {manifest['kind']} with probability {value:.4f}")


if __name__ == "__main__":
    main()
