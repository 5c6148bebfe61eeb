"""An operation in a process of its own, so that the one that serves never loads what it needs.

It is named as `module:function` and takes one record; request and result travel as JSON. What the operation
says goes to our stderr. The process ends when the one that started it is gone.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any, Generic, TypeVar, cast, get_type_hints

from pydantic import TypeAdapter

from make_us_rich.errors import MakeUsRichError
from make_us_rich.training.worker import become_worker

_SECONDS_TO_END = 10.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class ProcessFailure:
    """Why there is no result, in one line."""

    reason: str


@dataclass(slots=True)
class RunningProcess(Generic[ResultT]):
    """An operation under way."""

    target: str
    returns: TypeAdapter[ResultT]
    process: subprocess.Popen[bytes]
    answer: IO[bytes]

    def is_over(self) -> bool:
        """Say whether the process has ended."""
        return self.process.poll() is not None

    def result(self) -> ResultT | ProcessFailure:
        """Wait for the end, and return what came of it; it can be asked for once."""
        status = self.process.wait()
        self._let_go()
        self.answer.seek(0)
        text = self.answer.read()
        self.answer.close()
        if not text:
            name = self.target.partition(":")[2]
            return ProcessFailure(f"{name} ended with status {status}; its own lines above say why")
        content = json.loads(text)
        if "failure" in content:
            return ProcessFailure(content["failure"])
        return self.returns.validate_json(json.dumps(content["result"]))

    def cancel(self) -> None:
        """End the process; a half-written artifact is left to the shelf, which ignores it."""
        if not self.is_over():
            self.process.terminate()
            try:
                self.process.wait(_SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._let_go()
        self.answer.close()

    def _let_go(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()


def start_process(
    target: str, request: object, returns: type[ResultT], environment: Mapping[str, str] | None = None
) -> RunningProcess[ResultT]:
    """Start `module:function` on a request and return at once.

    `returns` is the type of its result; `environment` is added to that of this process.
    """
    answer = tempfile.TemporaryFile()  # noqa: SIM115  # a pipe that nobody reads would block a long answer
    process = subprocess.Popen(
        [sys.executable, "-m", "make_us_rich.operations.process", target],
        stdin=subprocess.PIPE,
        stdout=answer,
        bufsize=0,
        env=os.environ | dict(environment or {}),
    )
    # it stays open: that it closes tells the process that we are gone
    given = cast(IO[bytes], process.stdin)
    with suppress(BrokenPipeError):  # then it has ended already, and its result says so
        given.write(TypeAdapter(type(request)).dump_json(request) + b"\n")
    return RunningProcess(target, TypeAdapter(returns), process, answer)


def work_off(target: str, request: bytes) -> bytes:
    """Run `module:function` on a request in JSON; return its result, or its failure, in JSON."""
    try:
        function = _resolve(target)
        hints = get_type_hints(function)
        returns = TypeAdapter(hints.pop("return"))
        (taken,) = hints.values()
        result = function(TypeAdapter(taken).validate_json(request))
        return b'{"result":' + returns.dump_json(result) + b"}"
    except MakeUsRichError as error:
        return _failure(str(error))
    except Exception as error:  # whatever nobody expected is one line for who waits for the result
        return _failure(f"{type(error).__name__}: {error}; this was not expected")


def main() -> None:
    """Be such a process: the request comes on stdin, the answer goes to what stdout was when it began."""
    become_worker()  # before anything heavy is loaded, so that it obeys at once
    answer = os.dup(1)
    os.dup2(2, 1)  # whatever is printed on the way is no part of the answer
    request = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with os.fdopen(answer, "wb") as file:
        file.write(work_off(sys.argv[1], request))


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing ever comes: it returns when the other end is closed
    os._exit(130)


def _resolve(target: str) -> Callable[[Any], Any]:
    module, _, name = target.partition(":")
    function: Callable[[Any], Any] = getattr(import_module(module), name)
    return function


def _failure(reason: str) -> bytes:
    return json.dumps({"failure": " ".join(reason.split())}).encode()


if __name__ == "__main__":
    main()
