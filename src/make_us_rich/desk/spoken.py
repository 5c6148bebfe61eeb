"""What the desk says to the person before it: a subscriber that puts events into words."""

from make_us_rich.desk.progress import ProgressReport
from make_us_rich.events.bus import Bus
from make_us_rich.events.records import Drifted, TrainingChanged


def speak(bus: Bus, report: ProgressReport) -> None:
    """Say trainings and drift as they happen."""

    def on_training(event: TrainingChanged) -> None:
        for line in training_lines(event):
            report.say(line)

    bus.subscribe(TrainingChanged, on_training)
    bus.subscribe(Drifted, lambda event: report.say(drift_line(event)))


def training_lines(event: TrainingChanged) -> list[str]:
    """Return what is said about a training."""
    if event.state == "begun":
        return [f"{event.name}: no model yet; training one, the baseline is served meanwhile."]
    fate = "promoted" if event.promoted else "not promoted, the baseline stays"
    version = f" version {event.version}" if event.version else ""
    return [f"{event.name}{version}: {fate}.", *(f"  {reason}" for reason in event.reasons)]


def drift_line(event: Drifted) -> str:
    """Return what is said about a horizon that has drifted."""
    return f"{event.name} h={event.horizon}: {event.state}, {event.reason}."
