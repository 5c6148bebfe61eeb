"""`mur …`: the command line, its one-line errors and its exit statuses."""

import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from make_us_rich.commands import accounts, candles, models, service, shelving, training
from make_us_rich.commands.feed import feed
from make_us_rich.commands.trends import trends
from make_us_rich.errors import MakeUsRichError, UsageError
from make_us_rich.version import __version__

_INTERRUPTED = 130  # what Typer answers on Ctrl-C
_TRAIN_EXTRA = ("torch", "lightning", "onnx")

app = typer.Typer(
    help="A forecasting desk for cryptocurrencies that shows no forecast without its yardstick.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    service.up,
    candles.fetch,
    candles.quality,
    training.train,
    training.backtest,
    training.leakage,
    service.forecast,
    trends,
    service.serve,
    feed,
    service.doctor,
    shelving.export,
    shelving.clean,
):
    app.command()(command)
app.add_typer(models.app, name="models")
app.add_typer(accounts.users, name="users")
app.add_typer(accounts.tokens, name="tokens")


def main() -> None:
    """Run `mur` and turn every failure into one clear line and an exit status."""
    arguments = sys.argv[1:]
    verbose = "--verbose" in arguments  # accepted anywhere, because it is added when something has gone wrong
    arguments = [argument for argument in arguments if argument != "--verbose"]
    try:
        status = app(args=arguments, prog_name="mur", standalone_mode=False) or 0
        if status == _INTERRUPTED:
            _say("Interrupted; what was stored before is whole.")
        sys.exit(status)
    except TyperException as error:
        _say(f"{error.format_message()} `mur --help` lists what there is.")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # who read us has gone; without this Python complains about it while it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if verbose:
            raise
        _say(_one_line(error))
        sys.exit(2 if isinstance(error, UsageError) else 1)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the traceback of a failure.")] = False,
) -> None:
    """Declare the options that stand before any command; they have been read already."""


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, MakeUsRichError):
        return text
    if isinstance(error, ModuleNotFoundError) and error.name in _TRAIN_EXTRA:
        return f"this command needs {error.name}, which is not installed; pip install 'make-us-rich[train]'"
    return f"{type(error).__name__}: {text}; this was not expected, `--verbose` shows where it happened"


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
