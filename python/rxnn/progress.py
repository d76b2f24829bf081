"""Progress on stderr, so that stdout holds results only: a bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

_SECONDS_BETWEEN_UPDATES = 0.05
_SECONDS_BETWEEN_LINES = 10.0
_SECONDS_OF_SPEED = 120.0  # that a bar's speed is averaged over: a batch may take many

# Called with a label, the work done and the work in all; work done that shrinks starts anew.
Update = Callable[[str, int, int], None]


class _SpeedColumn(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The work of a second, once it is known."""
        return Text("" if task.speed is None else f"{_short(task.speed)} {self._unit}/s")


class ProgressLines:
    """Progress for logs and pipes: a line at most every `seconds`, none for what is done before."""

    def __init__(self, unit: str, write: Callable[[str], object], *, seconds: float = _SECONDS_BETWEEN_LINES) -> None:
        self._unit = unit
        self._write = write
        self._seconds = seconds
        self._last_done: int | None = None
        self._start = self._last = time.monotonic()  # of this work; of the last line
        self._first_done = 0

    def update(self, label: str, done: int, total: int) -> None:
        """Takes the work done so far, and writes what is due."""
        now = time.monotonic()
        if self._last_done is None or done < self._last_done:
            # The first piece may hold preparations: speed is that of what follows.
            self._start, self._first_done = now, done
        self._last_done = done
        if now - self._last < self._seconds:
            return
        self._last = now
        line = f"{label}: {done} of {total} {self._unit}"
        if done > self._first_done and now > self._start:
            speed = (done - self._first_done) / (now - self._start)
            line += f", {_short(speed)} {self._unit}/s, {timedelta(seconds=round((total - done) / speed))} left"
        self._write(line)


@contextmanager
def progress_bar(unit: str) -> Iterator[Update]:
    """Shows work counted in `unit`; its function may be called more often than it can be drawn."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield ProgressLines(
            unit, lambda line: console.print(line, soft_wrap=True, highlight=False, markup=False)
        ).update
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _SpeedColumn(unit),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, speed_estimate_period=_SECONDS_OF_SPEED) as bar:
        task = bar.add_task("starting", total=None)
        last = 0.0
        last_done = 0

        def update(label: str, done: int, total: int) -> None:
            nonlocal last, last_done
            if done < last_done:
                bar.reset(task)
            last_done = done
            now = time.monotonic()
            if now - last >= _SECONDS_BETWEEN_UPDATES or done == total:
                last = now
                bar.update(task, description=label, completed=done, total=total)

        yield update


def _short(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
