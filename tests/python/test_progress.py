"""Progress where there is no terminal."""

import re

import pytest

from rxnn import progress
from rxnn.progress import ProgressLines, progress_bar


@pytest.fixture
def clock(monkeypatch):
    """A clock that tests set."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_tell_speed_and_time_left(clock):
    lines = []
    progress_lines = ProgressLines("images", lines.append, seconds=10)
    for done in range(50, 501, 50):
        clock[0] += 4
        progress_lines.update("chip", done, 500)
    # The first 50 images, with all that precedes them, took 4 s; since then it is 12.5 images/s.
    assert lines == [
        "chip: 150 of 500 images, 12.5 images/s, 0:00:28 left",
        "chip: 300 of 500 images, 12.5 images/s, 0:00:16 left",
        "chip: 450 of 500 images, 12.5 images/s, 0:00:04 left",
    ]


def test_a_new_run_has_a_speed_of_its_own(clock):
    lines = []
    progress_lines = ProgressLines("images", lines.append, seconds=10)
    for label, seconds in (("plain", 1), ("chip", 20)):
        for done in (10, 20, 30):
            clock[0] += seconds
            progress_lines.update(label, done, 30)
    assert lines == [
        "chip: 10 of 30 images",
        "chip: 20 of 30 images, 0.5 images/s, 0:00:20 left",
        "chip: 30 of 30 images, 0.5 images/s, 0:00:00 left",
    ]


def test_short_work_writes_nothing_and_stdout_stays_clean(clock, capsys):
    with progress_bar("arrays") as update:
        update("conv1", 1, 2)
        clock[0] += 60
        update("conv1", 2, 2)
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"conv1: 2 of 2 arrays, 0\.0167 arrays/s, 0:00:00 left\n", err)
