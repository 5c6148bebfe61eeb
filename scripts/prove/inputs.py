"""What the optional inputs add to the blend: every pair twice, same candles and folds, and a paired test."""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from skill import PAIRS, run_pair

from make_us_rich.evaluation.backtest import Backtest
from make_us_rich.evaluation.evidence import loss_advantage, skill
from make_us_rich.market.activity import ACTIVITY_COLUMNS

SHOWN = (1, 4, 24)


def main() -> int:
    """Run the pairs one after the other and print the table."""
    arguments = _parse_arguments()
    inputs = tuple(arguments.inputs)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    records: dict[str, list[dict[str, float]]] = {}
    for base in arguments.pairs:
        without = run_pair(arguments.candles, base).walk.backtest
        with_inputs = run_pair(arguments.candles, base, inputs).walk.backtest
        records[base] = [compare(without, with_inputs, j) for j in range(len(without.horizons))]
        arguments.output.write_text(json.dumps(records, indent=1))
        print(f"{base}/USDT done", file=sys.stderr, flush=True)
    print(f"Skill of `blend` in %, without and with {', '.join(inputs)}; p: is it better with them?")
    print_table(records)
    return 0


def compare(without: Backtest, with_inputs: Backtest, position: int) -> dict[str, float]:
    """Return both skills at a horizon, the spread of the gain over folds, and the paired block test."""
    both = replace(
        without,
        quantiles={
            "persistence": without.quantiles["persistence"],
            "without": without.quantiles["blend"],
            "with": with_inputs.quantiles["blend"],
        },
    )
    loss = {name: both.loss(name)[:, position] for name in both.quantiles}

    def gain(rows: np.ndarray) -> float:
        yardstick = loss["persistence"][rows]
        return skill(loss["with"][rows], yardstick) - skill(loss["without"][rows], yardstick)

    advantage = loss_advantage(both, "with", "without", position)
    return {
        "horizon": both.horizons[position],
        "n": len(both),
        "weeks": len(advantage),
        "without": skill(loss["without"], loss["persistence"]),
        "with": skill(loss["with"], loss["persistence"]),
        "gain_sd": float(np.std([gain(both.fold == k) for k in np.unique(both.fold)], ddof=1)),
        "p": advantage.p_value_above_zero(),
    }


def print_table(records: dict[str, list[dict[str, float]]]) -> None:
    """Print one row a pair, for the horizons that are shown."""
    shown = {base: [e for e in record if e["horizon"] in SHOWN] for base, record in records.items()}
    print("| | n | weeks | " + " | ".join(f"{h} h without | with | gain | p" for h in SHOWN) + " |")
    print("|---|" + "---|" * (2 + 4 * len(SHOWN)))
    for base, row in shown.items():
        cells = " | ".join(
            f"{100 * e['without']:.2f} | {100 * e['with']:.2f} | "
            f"{100 * (e['with'] - e['without']):+.2f} ± {100 * e['gain_sd']:.2f} | {e['p']:.3f}"
            for e in row
        )
        print(f"| {base} | {row[0]['n']} | {row[0]['weeks']} | {cells} |")
    means = [
        f"{100 * without:.2f} | {100 * given:.2f} | {100 * (given - without):+.2f} | "
        for without, given in (
            [np.mean([row[j][name] for row in shown.values()]) for name in ("without", "with")]
            for j in range(len(SHOWN))
        )
    ]
    print("| mean | | | " + " | ".join(means) + " |")


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(os.environ.get("MUR_CANDLES", "../shared/data/candles")) / "BINANCE"
    parser.add_argument("--candles", type=Path, default=default, help="folder of the recorded candles")
    parser.add_argument("--pairs", nargs="+", default=PAIRS, help="bases priced in USDT")
    parser.add_argument(
        "--inputs", nargs="+", default=tuple(ACTIVITY_COLUMNS), choices=tuple(ACTIVITY_COLUMNS)
    )
    parser.add_argument("--output", type=Path, default=Path("build/inputs.json"), help="where figures go")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
