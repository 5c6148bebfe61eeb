"""Trainings that are none, for tests of the desk."""

from make_us_rich.desk.training import TrainingOutcome


class FakeTraining:
    """A training that is over after a few looks, and then does something."""

    def __init__(self, looks=0, finish=lambda: None, outcome=None):
        self.looks = looks
        self.finish = finish
        self.outcome = outcome or TrainingOutcome("price.BTC-USDT.1h", 1, promoted=True, reasons=("better",))
        self.is_cancelled = False

    def is_over(self):
        self.looks -= 1
        return self.looks < 0

    def outcomes(self):
        self.finish()
        return [self.outcome]

    def cancel(self):
        self.is_cancelled = True
