"""Whole networks with plain layers against PyTorch on the same cores, in one run: forward, training step, memory.

Random weights and images; the best of several rounds, in which both take turns: a busy machine slows both. Each network
runs in processes of its own, so that peak memory is its own. A training step is forward, backward and the update of SGD
with momentum and weight decay. Times are milliseconds per image.

  python benchmarks/engine.py --torch-python /path/to/venv/bin/python --json engine.json

With --gpu both run on the first GPU, in float32 without TF32.

PyTorch is no dependency of the project: without --torch-python its columns stay empty.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import networks
import numpy as np
from bvlc_memory import bvlc_mib
from contestant import answer_passes

import caffe

HERE = Path(__file__).resolve().parent
NETWORKS = ["alexnet", "googlenet", "squeezenet", "vgg16", "resnet50"]


def serve(path: str, train: bool, device: str) -> None:
    """Answers numbers of passes on standard input with their seconds, as torch_networks.py does."""
    if device == "gpu":
        caffe.set_device(0)
        caffe.set_mode_gpu()
    caffe.set_random_seed(1)
    random = np.random.default_rng(1)
    if train:
        with tempfile.NamedTemporaryFile("w", suffix=".prototxt") as solver_file:
            solver_file.write(
                f'net: "{path}" base_lr: 0.0001 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.0005 '
                "snapshot_after_train: false snapshot: 0 max_iter: 1000000000"
            )
            solver_file.flush()
            solver = caffe.SGDSolver(solver_file.name)
        net = solver.net
    else:
        net = caffe.Net(path, caffe.TEST)
    net.blobs["data"].data[...] = random.random(net.blobs["data"].shape, dtype=np.float32)

    timer = caffe.Timer()

    def run() -> None:
        timer.start()
        if train:
            solver.step(1)
        else:
            net.forward()
        timer.stop()  # waits for the GPU

    blobs, kept = bvlc_mib(net, path, train)
    answer_passes(run, bvlc_mib=blobs + kept, bvlc_layers_mib=kept)


class Contestant:
    """A process that runs one network when told to."""

    def __init__(self, command: list[str], threads: int) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "GLOG_minloglevel": "2"}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.best = float("inf")
        self.peak = 0.0
        self.bvlc: dict[str, float] = {}

    def run(self, passes: int) -> float:
        """Seconds that all passes took."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{passes}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"engine.py: {' '.join(self.process.args[:2])} ended with {self.process.wait()}")
        answer = json.loads(line)
        self.best = min(self.best, *answer["seconds"])
        self.peak = answer["peak_mib"]
        self.bvlc = {key: value for key, value in answer.items() if key.startswith("bvlc")}
        return sum(answer["seconds"])

    def close(self) -> None:
        """Ends the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def compare(name: str, batch: int, train: bool, options: argparse.Namespace) -> dict:
    """One network by both, in turns."""
    text = networks.NETWORKS[name](batch)
    if train:
        text = networks.with_loss(text, batch)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.prototxt"
        path.write_text(text)
        mode = "train" if train else "test"
        arguments = [str(path), str(options.threads), mode, "gpu" if options.gpu else "cpu"]
        ours = Contestant([sys.executable, __file__, "--serve", *arguments], options.threads)
        ours.run(1)
        contestants = [ours]
        if options.torch_python:
            script = str(HERE / "torch_networks.py")
            contestants.append(Contestant([options.torch_python, script, *arguments], options.threads))
            contestants[1].run(1)
        spent, rounds = 0.0, 0
        while rounds < 2 or spent < options.seconds:
            spent += sum(contestant.run(1 if train else 2) for contestant in contestants)
            rounds += 1
        for contestant in contestants:
            contestant.close()
    result = {"network": name, "batch": batch, "mode": mode, "threads": options.threads}
    result["ours_ms"] = ours.best * 1e3 / batch
    result["ours_mib"] = ours.peak
    if len(contestants) > 1:
        result["torch_ms"] = contestants[1].best * 1e3 / batch
        result["torch_mib"] = contestants[1].peak
        result["ratio"] = result["ours_ms"] / result["torch_ms"]
    return result | ours.bvlc


def main() -> None:
    """Prints the table."""
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[4] == "train", sys.argv[5])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=sorted(networks.NETWORKS), default=NETWORKS)
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 16])
    parser.add_argument("--modes", nargs="+", choices=["test", "train"], default=["test", "train"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=6.0, help="about how long one line of the table runs")
    parser.add_argument("--gpu", action="store_true", help="on the first GPU")
    parser.add_argument("--torch-python", help="an interpreter that has torch")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    if options.torch_python:
        probe = subprocess.run([options.torch_python, "-c", "import torch"], capture_output=True)
        if probe.returncode:
            sys.exit(f"engine.py: {options.torch_python} has no torch")
    else:
        print("no --torch-python: without the comparison with PyTorch")
    print(
        f"{'network':<11}{'mode':<6}{'batch':>5} {'ours ms':>9} {'torch ms':>9} {'ratio':>6} {'ours MiB':>9}"
        f" {'torch MiB':>9} {'BVLC MiB':>9} {'of layers':>9}"
    )
    results = []
    for name in options.networks:
        for mode in options.modes:
            for batch in options.batches:
                row = compare(name, batch, mode == "train", options)
                results.append(row)

                def cell(key: str, width: int, row: dict = row, digits: int = 1) -> str:
                    return f"{row[key]:>{width}.{digits}f}" if key in row else " " * (width - 1) + "-"

                print(
                    f"{name:<11}{mode:<6}{batch:>5} {cell('ours_ms', 9)} {cell('torch_ms', 9)} "
                    f"{cell('ratio', 6, digits=2)} {cell('ours_mib', 9, digits=0)} "
                    f"{cell('torch_mib', 9, digits=0)} {cell('bvlc_mib', 9, digits=0)} "
                    f"{cell('bvlc_layers_mib', 9, digits=0)}",
                    flush=True,
                )
                if options.json:
                    options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
