"""The report of a trial, as it is shelved with the artifact and as `mur backtest` writes it."""

from make_us_rich.evaluation.report import Report, ReportSubject, build_report
from make_us_rich.market.snapshot import Snapshot
from make_us_rich.training.price.experiment import PriceExperiment, preset_experiment
from make_us_rich.training.price.trial import Trial
from make_us_rich.version import __version__


def report_trial(trial: Trial, snapshot: Snapshot) -> Report:
    """Return the walk-forward report of a trial on a snapshot."""
    experiment = trial.experiment
    subject = ReportSubject(
        name=experiment.name,
        candidate=experiment.model,
        symbol=experiment.symbol,
        timeframe=experiment.timeframe,
        market=snapshot.market,
        source=snapshot.source,
        data_start=snapshot.first,
        data_end=snapshot.data_end,
        snapshot_hash=snapshot.content_hash,
        seed=experiment.seed,
        code_version=__version__,
        command=repeat_command(experiment, snapshot),
    )
    return build_report(subject, trial.walk.backtest, trial.evidence, trial.verdicts)


def repeat_command(experiment: PriceExperiment, snapshot: Snapshot) -> str:
    """Return the command that makes the report again from the same candles.

    What is not a preset needs the experiment, which is in the manifest, as a file.
    """
    origin = f"--source {experiment.source}" if experiment.source else f"--market {snapshot.market}"
    span = f"--since {snapshot.first:%Y-%m-%dT%H:%M} --until {snapshot.data_end:%Y-%m-%dT%H:%M}"
    preset = preset_experiment(experiment.model, experiment.symbol, timeframe=experiment.timeframe)
    if preset.recipe() != experiment.recipe():
        return f"mur backtest EXPERIMENT.yaml {origin} {span}"
    series = f"{experiment.symbol} --timeframe {experiment.timeframe}"
    return f"mur backtest {series} --preset {experiment.model} {origin} {span}"
