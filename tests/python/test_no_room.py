"""Programs that find no room for what they write: one message, and no file that is not whole."""

import os
import resource
import signal
import subprocess

import numpy as np
import pytest
from PIL import Image

from caffe_command import BIN

MOST_BYTES = 1 << 14  # of any file
NET = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
        dummy_data_param { shape { dim: 4 dim: 3000 } shape { dim: 4 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 10 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
layer { name: "out" type: "HDF5Output" bottom: "data" bottom: "label" include { phase: TEST }
        hdf5_output_param { file_name: "OUT/rows.h5" } }
"""


def limit_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, MOST_BYTES))


@pytest.fixture
def complaint(tmp_path):
    """Runs a program that must fail for want of room and leave its folder empty; returns what it says of that."""
    out = tmp_path / "out"
    out.mkdir()

    def run(tool: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(BIN / tool), *(argument.replace("OUT", str(out)) for argument in arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
            preexec_fn=limit_files,
            env={**os.environ, "GLOG_logtostderr": "1"},
        )
        assert done.returncode == 1, (done.returncode, done.stderr)
        assert done.stderr.count(": error: ") == 1, done.stderr
        assert list(out.iterdir()) == []
        return done.stderr[done.stderr.index(": error: ") :]

    return run


@pytest.mark.parametrize(("snapshot_format", "ending"), [("BINARYPROTO", ""), ("HDF5", ".h5")])
def test_snapshots(tmp_path, complaint, snapshot_format, ending):
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "solver.prototxt").write_text(
        f'net: "{tmp_path}/net.prototxt" base_lr: 0.01 lr_policy: "fixed" max_iter: 2 snapshot: 1 '
        f'snapshot_prefix: "{tmp_path}/out/run" snapshot_format: {snapshot_format}'
    )
    message = complaint("caffe", "train", f"--solver={tmp_path}/solver.prototxt")
    assert f"out/run_iter_1.caffemodel{ending}" in message


def test_outputs(tmp_path, complaint):
    (tmp_path / "net.prototxt").write_text(NET.replace("OUT", f"{tmp_path}/out"))
    (tmp_path / "net.caffemodel").write_bytes(b"\x0a\x01x")  # a name
    message = complaint(
        "caffe", "test", f"--model={tmp_path}/net.prototxt", f"--weights={tmp_path}/net.caffemodel", "--iterations=2"
    )
    assert "layer 'out' (HDF5Output): Cannot write" in message


@pytest.mark.parametrize("backend", ["lmdb", "leveldb"])
def test_databases(tmp_path, rng, complaint, backend):
    Image.fromarray(rng.integers(0, 256, (80, 80, 3), dtype=np.uint8)).save(tmp_path / "x.png")
    (tmp_path / "list.txt").write_text("x.png 0\n" * 20)
    message = complaint("convert_imageset", f"--backend={backend}", f"{tmp_path}/", f"{tmp_path}/list.txt", "OUT/db")
    assert "out/db" in message
