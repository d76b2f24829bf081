#!/usr/bin/env python3
"""Trains a network, on the CPU or on GPUs, and can say where the time goes.

    python train.py --solver solver.prototxt --gpus 0 1 --timing

`caffe train` does the same without Python.
"""

import argparse
import sys
from collections.abc import Sequence

import caffe
from caffe import scripts


class LayerTimes:
    """Sums the time of every layer, forward and backward, and prints the means every `display` iterations."""

    def __init__(self, solver: caffe._caffe.Solver) -> None:
        self._solver = solver
        self._names = list(solver.net.layer_dict)
        self._every = max(solver.param.display, 1)
        self._ms = {"forward": [0.0] * len(self._names), "backward": [0.0] * len(self._names)}
        timer = caffe.Timer()
        net = solver.net
        for direction in self._ms:
            getattr(net, f"before_{direction}")(lambda index: timer.start())
            getattr(net, f"after_{direction}")(lambda index, direction=direction: self._add(direction, index, timer))
        solver.add_callback(lambda: None, self._show)

    def _add(self, direction: str, index: int, timer: caffe.Timer) -> None:
        timer.stop()
        self._ms[direction][index] += timer.ms

    def _show(self) -> None:
        iteration = self._solver.iter + 1
        if iteration % self._every:
            return
        print(f"Iteration {iteration}, mean times in ms of the last {self._every}:")
        for index, name in enumerate(self._names):
            forward, backward = (self._ms[direction][index] / self._every for direction in ("forward", "backward"))
            print(f"{name:>20} forward {forward:9.3f} backward {backward:9.3f}")
        sums = {direction: sum(values) / self._every for direction, values in self._ms.items()}
        print(f"{'all':>20} forward {sums['forward']:9.3f} backward {sums['backward']:9.3f}", flush=True)
        for values in self._ms.values():
            values[:] = [0.0] * len(values)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solver", required=True, help="the solver, a prototxt")
    parser.add_argument("--snapshot", help="a .solverstate to go on from")
    parser.add_argument("--gpus", type=int, nargs="+", default=[], help="GPUs to use; the CPU by default")
    parser.add_argument("--timing", action="store_true", help="show the time of every layer")
    args = parser.parse_args(argv)

    caffe.init_log(0, stderr=True)
    if args.gpus:
        caffe.set_device(args.gpus[0])
        caffe.set_mode_gpu()
    solver = caffe.get_solver(args.solver)
    if len(args.gpus) > 1:
        solver.use_gpus(args.gpus)
    if args.timing:
        LayerTimes(solver)
    solver.solve(args.snapshot)


if __name__ == "__main__":
    sys.exit(scripts.run(main))
