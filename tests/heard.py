"""What was said on a bus, and what was counted on the way."""

from make_us_rich.events.records import Event


class Heard(list):
    """Everything that is said on a bus, in order."""

    def __init__(self, bus):
        super().__init__()
        bus.subscribe(Event, self.append)

    def of(self, kind):
        return [event for event in self if isinstance(event, kind)]
