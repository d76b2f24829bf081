"""Equivalent conductances of an array: ours against scipy's sparse LU, in one run.

Prints, per size, the processor time of one array on one thread, of scipy's splu for the same array (factor and solve
for all inputs, by the fastest of its orderings; assembling its matrix is not counted), their ratio, the largest
relative difference of the results, and how much faster two threads are on a batch, by the clock. All are the best of
many: other work on the machine should not count, but only an idle machine shows what two threads gain.

Goals: 3 ms for 64 x 64 and 25 ms for 128 x 128 on one thread; 15 times splu; 1.9 on two threads.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

import rxnn

SIZES = (32, 64, 128)
SOURCE, SINK, SEGMENT = 500.0, 100.0, 2.5


def cells(size: int, count: int = 1) -> np.ndarray:
    """Conductances of 100 kohm to 1 Mohm."""
    return 1 / np.random.default_rng(1).uniform(1e5, 1e6, (count, size, size))


def best_seconds(clock: Callable[[], float], run: Callable[[], object], repeats: int) -> float:
    """The shortest of several runs."""
    best = float("inf")
    for _ in range(repeats):
        start = clock()
        run()
        best = min(best, clock() - start)
    return best


def nodal_matrix(g: np.ndarray) -> tuple[scipy.sparse.csc_matrix, np.ndarray]:
    """Admittances between the nodes (word line, then bit line, row-major), and what 1 V at every driver sends in."""
    rows, cols = g.shape
    cell = np.arange(rows * cols).reshape(rows, cols)
    bit = cell + rows * cols

    def edges(a: np.ndarray, b: np.ndarray, value: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return a.ravel(), b.ravel(), np.broadcast_to(value, a.shape).ravel()

    parts = [
        edges(cell, bit, g),
        edges(cell[:, :-1], cell[:, 1:], 1 / SEGMENT),
        edges(bit[:-1], bit[1:], 1 / SEGMENT),
    ]
    a, b, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    ends = np.concatenate([cell[:, 0], bit[-1]])
    to_ground = np.concatenate([np.full(rows, 1 / SOURCE), np.full(cols, 1 / SINK)])
    matrix = scipy.sparse.csc_matrix(
        (
            np.concatenate([value, value, -value, -value, to_ground]),
            (np.concatenate([a, b, a, b, ends]), np.concatenate([a, b, b, a, ends])),
        )
    )
    drive = np.zeros((2 * rows * cols, rows))
    drive[cell[:, 0], np.arange(rows)] = 1 / SOURCE
    return matrix, drive


def scipy_conductance(g: np.ndarray, repeats: int) -> tuple[float, np.ndarray]:
    """Seconds of the fastest ordering, and the equivalent conductances."""
    matrix, drive = nodal_matrix(g)
    results = []

    def solve(ordering: str) -> np.ndarray:
        volt = scipy.sparse.linalg.splu(matrix, permc_spec=ordering).solve(drive)
        return volt[-g.shape[1] :].T / SINK

    for ordering in ("COLAMD", "MMD_AT_PLUS_A"):
        results.append((best_seconds(time.process_time, lambda o=ordering: solve(o), repeats), solve(ordering)))
    return min(results, key=lambda result: result[0])


def ours(g: np.ndarray) -> np.ndarray:
    """The same from rxnn."""
    return rxnn.equivalent_conductance(
        g, r_source_ohm=SOURCE, r_sink_ohm=SINK, r_wordline_ohm=SEGMENT, r_bitline_ohm=SEGMENT
    )


def batch_seconds(size: int) -> float:
    """Seconds per array by the clock, on the threads of this process."""
    count = {32: 128, 64: 16, 128: 4}[size]
    g = cells(size, count)
    return best_seconds(time.perf_counter, lambda: ours(g), 40) / count


def compare(size: int) -> str:
    """One line of the table but for its last column, on one thread."""
    g = cells(size)[0]
    one = best_seconds(time.process_time, lambda: ours(g), 50)
    reference, expected = scipy_conductance(g, 8 if size < 128 else 3)
    difference = np.max(np.abs(ours(g) / expected - 1))
    times = f"{one * 1e3:>7.2f} ms {reference * 1e3:>7.1f} ms {reference / one:>7.1f}"
    return f"{size:>4} x {size:<3} {times} {difference:>11.1e}"


def with_threads(threads: int, *arguments: str) -> str:
    """What this script prints for these arguments in a process with so many threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, *arguments]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.rstrip("\n")


def main() -> None:
    """Prints the table; every figure comes from a process with the threads it is for."""
    match sys.argv[1:]:
        case ["--batch", size]:
            print(batch_seconds(int(size)))
        case ["--compare", size]:
            print(compare(int(size)))
        case _:
            print(f"{'array':>9} {'ours':>10} {'splu':>10} {'ratio':>7} {'difference':>11} {'two threads':>12}")
            for size in map(str, SIZES):
                one, two = (float(with_threads(threads, "--batch", size)) for threads in (1, 2))
                print(f"{with_threads(1, '--compare', size)} {one / two:>11.2f}x")


if __name__ == "__main__":
    main()
