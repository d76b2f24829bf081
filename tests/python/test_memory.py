"""Nothing that is done again and again keeps memory; benchmarks/memory.py does more of it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import memory

# What a round could keep is 12 KiB at least (the smallest whole blob; the net's weights are 200 KiB): in the rounds
# watched that would be 3 MiB. The allocator's own moods stay below 1.
ROUNDS = 300
LARGEST_GROWTH_MIB = 1.5


@pytest.mark.parametrize("name", ["forward", "reshape", "load", "held_blobs", "python_layer", "errors"])
def test_stays_flat(tmp_path, name):
    figures = memory.measure(memory.cases(tmp_path)[name], ROUNDS)
    assert figures[-1] - figures[0] < LARGEST_GROWTH_MIB, figures
