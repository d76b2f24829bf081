"""Progress bars on stderr, so that stdout holds results only."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_SECONDS_BETWEEN_UPDATES = 0.05

# Called with a label, the work done and the work in all.
Update = Callable[[str, int, int], None]


@contextmanager
def progress_bar(unit: str) -> Iterator[Update]:
    """A bar on a terminal for work counted in `unit`; its function may be called more often than it can be drawn."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        last = 0.0

        def update(label: str, done: int, total: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _SECONDS_BETWEEN_UPDATES or done == total:
                last = now
                bar.update(task, description=label, completed=done, total=total)

        yield update
