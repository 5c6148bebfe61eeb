"""Record a small home and its answers: `.venv/bin/python scripts/homes/record.py [FOLDER]`.

FOLDER is tests/homes/0.1.0 by default: `home.tar.xz` holds the home, on made-up candles, `people.json` what
lets a test in, and `answers.json.xz` the answer to every question in `tests/homes/questions.py`, one a line.
It was made with the code of 0.1.0 and is made again only with that code, with --keep-home to add a question;
what later versions answer is compared with it by `tests/homes`.
"""

import argparse
import io
import logging
import lzma
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import structlog

REPOSITORY = Path(__file__).parents[2]
sys.path[:0] = [str(REPOSITORY / "tests"), str(Path(__file__).parent)]

from small_home import END, SIMULATED_END, build_home  # noqa: E402

from homes.comparison import differences, kept  # noqa: E402
from homes.home_desk import HomeDesk, unpack  # noqa: E402
from homes.questions import QUESTIONS  # noqa: E402

DEFAULT = REPOSITORY / "tests" / "homes" / "0.1.0"


def main() -> int:
    """Build, ask twice, and refuse a record of answers that change by themselves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--keep-home", action="store_true", help="Ask the packed home that is there already.")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        if arguments.keep_home:
            secrets = orjson.loads((folder / "people.json").read_bytes())["secrets"]
        else:
            secrets = build_home(place).words
            (folder / "home.tar.xz").write_bytes(_packed(place / "home"))
            (folder / "people.json").write_bytes(_people(secrets))
        home = unpack(folder / "home.tar.xz", place / "unpacked")
        answers, again = (_ask(home, secrets, place / f"asked-{n}") for n in range(2))
    changing = [
        f"{name}{line}" for name, one in answers.items() for line in differences(name, one, again[name])
    ]
    print("\n".join(changing) or "Every answer was the same twice.")
    (folder / "answers.json.xz").write_bytes(_written(answers))
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>9,} bytes  {path.name}")
    print(f"{len(answers)} questions")
    return 1 if changing else 0


def _packed(home: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in [home, *sorted(home.rglob("*"))]:
            entry = archive.gettarinfo(path, str(path.relative_to(home.parent)))
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            with path.open("rb") if path.is_file() else io.BytesIO() as content:
                archive.addfile(entry, content)
    return lzma.compress(buffer.getvalue(), preset=9 | lzma.PRESET_EXTREME)


def _ask(home: Path, secrets: Mapping[str, str], folder: Path) -> dict[str, Any]:
    if len({question.name for question in QUESTIONS}) != len(QUESTIONS):
        raise ValueError("two questions have one name")
    desk, answers = HomeDesk(home, secrets, folder), {}
    try:
        for question in QUESTIONS:
            began = time.monotonic()
            found, places = desk.answers(question)
            answers[question.name] = kept(question.name, found, places)
            if (seconds := time.monotonic() - began) > 1:
                print(f"{seconds:5.1f} s  {question.name}")
    finally:
        desk.close()
    return answers


def _people(secrets: Mapping[str, str]) -> bytes:
    """Return who may come in and when each market was last in use."""
    times = {"replay": END.isoformat(), "simulated": SIMULATED_END.isoformat()}
    content = {"version": "0.1.0", "last_used": times, "secrets": secrets}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _written(answers: Mapping[str, Any]) -> bytes:
    """Return the answers with one line per question, so that `xzdiff` shows what a new record changes."""
    lines = [f"{orjson.dumps(name).decode()}: {orjson.dumps(one).decode()}" for name, one in answers.items()]
    body = ",\n".join(lines)
    return lzma.compress(f"{{\n{body}\n}}\n".encode(), preset=9 | lzma.PRESET_EXTREME)


if __name__ == "__main__":
    raise SystemExit(main())
