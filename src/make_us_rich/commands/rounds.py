"""What `mur train` was asked for, trained: prices, or the trends of a pool of coins."""

from collections.abc import Mapping, Sequence
from typing import Any

from make_us_rich.commands.experiments import read_experiments, train_experiment
from make_us_rich.commands.many_trainings import TrainingRound, train_several
from make_us_rich.commands.trend_lines import trend_round_lines
from make_us_rich.commands.trend_training import read_trend_experiments, train_trends
from make_us_rich.commands.wording import round_lines, training_lines
from make_us_rich.desk.progress import ProgressReport
from make_us_rich.errors import UsageError

Changes = Mapping[str, str | None]
Said = tuple[dict[str, Any], list[str]]


def train_prices(
    pairs: Sequence[str], preset: str, changes: Changes, plan: TrainingRound, progress: ProgressReport
) -> Said:
    """Train price models; return the answer as a record and in words."""
    experiments = read_experiments(pairs, preset, changes)
    if len(experiments) == 1:
        record = train_experiment(plan.settings, plan.market, experiments[0], plan.now, progress)
        return record, training_lines(record)
    record = train_several(experiments, plan, progress)
    return record, round_lines(record)


def train_trend_pool(
    pairs: Sequence[str],
    changes: Changes,
    direction: str | None,
    plan: TrainingRound,
    progress: ProgressReport,
) -> Said:
    """Train a pool of coins; return the answer as a record and in words."""
    if direction not in {None, "up", "down"}:
        raise UsageError(f"direction {direction!r} is not known; choose up or down, or leave it out for both")
    directions = None if direction is None else (direction,)
    experiments = read_trend_experiments(pairs, {**changes, "directions": directions})
    record = train_trends(experiments, plan, progress)
    return record, trend_round_lines(record)
