"""How much of its time `caffe test` waits for data: SqueezeNet at batch 50 on the 1000 photographs of RXNN_DATA.

    python benchmarks/data_benchmark.py [--batches N]

From an LMDB of decoded values, from one of the JPEG files, and from the JPEG files themselves. The time for the first
batch, before which nothing could be read, is in it.
"""

import argparse
import os
import re
import subprocess
import tempfile
from pathlib import Path

import rxnn

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / "build" / "bin"
DATA = Path(os.environ.get("RXNN_DATA", ROOT.parent / "shared" / "data"))
MEAN = [104, 117, 123]
GOAL_PERCENT = 3.0


def run(tool: str, *arguments: object) -> str:
    """Runs a program of the build; gives its log."""
    command = [str(BIN / tool), *(str(argument) for argument in arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "GLOG_logtostderr": "1"}
    ).stderr


def main() -> None:
    """Makes the databases, runs `caffe test` on each source, and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=20)
    arguments = parser.parse_args()
    images, source = DATA / "imagenet1000", DATA / "squeezenet"
    if not source.is_dir():
        print(f"needs {source} and {images} (RXNN_DATA)")
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kinds = {"raw LMDB": [], "encoded LMDB": ["--encoded"], "JPEG files": None}
        for kind, flags in kinds.items():
            net = folder / "net.prototxt"
            if flags is None:
                rxnn.add_data(source / "deploy.prototxt", images / "labels.txt", net, root=images, mean=MEAN)
            else:
                database = folder / kind.split()[0]
                run("convert_imageset", *flags, f"{images}/", images / "labels.txt", database)
                rxnn.add_data(source / "deploy.prototxt", database, net, mean=MEAN)
            weights = source / "squeezenet_v1.0.caffemodel"
            log = run("caffe", "test", "--model", net, "--weights", weights, "--iterations", arguments.batches)
            waited, seconds, percent = re.findall(r"Waited for data: (\S+) s of (\S+) s \((\S+) %\)", log)[0]
            milliseconds = 1000 * float(seconds) / arguments.batches
            print(
                f"{kind:13s} {milliseconds:7.0f} ms a batch, waited {float(waited):7.4f} s of {float(seconds):6.2f} s: "
                f"{float(percent):5.2f} % (goal {GOAL_PERCENT} %)",
                flush=True,
            )


if __name__ == "__main__":
    main()
