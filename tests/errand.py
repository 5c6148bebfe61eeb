"""Operations for tests of `operations.process`: each is a different way to end."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from make_us_rich.errors import StoreError


@dataclass(frozen=True)
class Errand:
    """What is asked for."""

    place: Path
    times: tuple[int, ...] = ()


@dataclass(frozen=True)
class Done:
    """What comes of it."""

    total: int
    place: Path
    loaded: tuple[str, ...] = ()


def add(errand: Errand) -> Done:
    os.write(1, b"printed on the way")
    return Done(sum(errand.times), errand.place)


def refuse(errand: Errand) -> Done:
    raise StoreError(f"{errand.place}: cannot\nbe read; restore it")


def stumble(errand: Errand) -> Done:
    raise ZeroDivisionError("by zero")


def vanish(errand: Errand) -> Done:
    sys.stderr.write("out of memory\n")
    os._exit(9)


def linger(errand: Errand) -> Done:
    (errand.place / "pid").write_text(str(os.getpid()))
    time.sleep(600)
    return Done(0, errand.place)
