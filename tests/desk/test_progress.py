import io

from make_us_rich.desk.progress import ProgressReport


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_elsewhere_than_on_a_terminal_a_task_says_its_start_and_its_end_and_little_between():
    stream = io.StringIO()
    with ProgressReport(stream) as progress:
        for done in range(1, 101):
            progress.report("Fetching", done, 100)
    assert stream.getvalue().splitlines() == ["Fetching: 1%", "Fetching: 100%"]


class Pipe(io.StringIO):
    """A stream that hands on each write by itself, as stderr does under `python -u`."""

    def __init__(self):
        super().__init__()
        self.writes = []

    def write(self, text):
        self.writes.append(text)
        return super().write(text)


def test_a_line_is_written_in_one_piece_so_that_another_thread_cannot_break_it():
    stream = Pipe()
    with ProgressReport(stream) as progress:
        progress.say("Serving on http://127.0.0.1:8000")
    assert stream.writes == ["Serving on http://127.0.0.1:8000\n"]


def test_the_steps_of_a_task_do_not_each_say_their_end():
    stream = io.StringIO()
    with ProgressReport(stream) as progress:
        for step in ("volatility: fold 1", "lstm: fold 1"):
            for share in (0.5, 1.0):
                progress.report("Training", share, 1.0, step)
    assert stream.getvalue().splitlines() == ["Training: 50% (volatility: fold 1)"]


def test_two_tasks_do_not_silence_each_other():
    stream = io.StringIO()
    with ProgressReport(stream) as progress:
        progress.report("Fetching BTC/USDT", 1, 4)
        progress.report("Fetching ETH/USDT", 2, 4)
    assert stream.getvalue().splitlines() == ["Fetching BTC/USDT: 25%", "Fetching ETH/USDT: 50%"]


def test_on_a_terminal_there_is_a_bar_and_lines_stay_lines():
    stream = Terminal()
    with ProgressReport(stream) as progress:
        progress.report("Training [x]", 1, 2, "fold 1")
        progress.say("price.BTC-USDT.1h: no model yet")
    shown = stream.getvalue()
    assert "Training [x]" in shown
    assert "50%" in shown
    assert "price.BTC-USDT.1h: no model yet\n" in shown.replace("\r", "")
