"""The programs beside caffe: features into databases, old files brought up to date."""

import lmdb
import numpy as np
import pytest
from google.protobuf import text_format

from caffe.proto.caffe_pb2 import Datum, NetParameter, SolverParameter
from caffe_command import error, messages, run

# Every image is 0, so that a layer puts out its biases.
NET = """
name: "features"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 600 dim: 3 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 6 } }
layer { name: "shape" type: "Reshape" bottom: "ip" top: "shape"
        reshape_param { shape { dim: 0 dim: 1 dim: 2 dim: 3 } } }
layer { name: "deep" type: "Reshape" bottom: "ip" top: "deep"
        reshape_param { shape { dim: 0 dim: 1 dim: 2 dim: 3 dim: 1 } } }
"""
BIAS = [0.5, -1, 2.25, 3, -4, 5]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(NET)
    net = NetParameter()
    layer = net.layer.add(name="ip", type="InnerProduct")
    layer.blobs.add(data=[1.0] * 18).shape.dim.extend([6, 3])
    layer.blobs.add(data=BIAS).shape.dim.append(6)
    weights = tmp_path / "net.caffemodel"
    weights.write_bytes(net.SerializeToString())
    return weights, path


def records(path) -> list[tuple[bytes, Datum]]:
    with lmdb.open(str(path), readonly=True, lock=False) as env, env.begin() as transaction:
        return [(bytes(key), Datum.FromString(bytes(value))) for key, value in transaction.cursor()]


def test_extract_features_stores_every_image(tmp_path, model):
    databases = [tmp_path / name for name in ("ip", "shape", "deep")]
    done = run("extract_features", *model, "ip,shape,deep", ",".join(map(str, databases)), 2, "lmdb")
    lines = messages(done)
    assert "Extracted features of 1200 query images for feature blob shape" in lines
    assert lines[-1] == "Successfully extracted the features!"
    for path, shape in zip(databases, [(6, 1, 1), (1, 2, 3), (6, 1, 1)], strict=True):
        stored = records(path)
        assert [key for key, _ in stored] == [b"%010d" % i for i in range(1200)]
        for _, datum in stored[::100]:
            assert (datum.channels, datum.height, datum.width) == shape
            np.testing.assert_array_equal(datum.float_data, BIAS)


def test_extract_features_says_what_is_wrong(tmp_path, model):
    weights, net = model
    database = tmp_path / "db"

    def fails(*arguments: object) -> str:
        message = error(*arguments, tool="extract_features")
        assert not database.exists()
        assert sorted(tmp_path.iterdir()) == [weights, net]
        return message

    assert "Unknown feature blob name nope in the network" in fails(weights, net, "nope", database, 1, "lmdb")
    assert "there are 2 blobs and 1 databases" in fails(weights, net, "ip,shape", database, 1, "lmdb")
    assert "File not found: no.caffemodel" in fails("no.caffemodel", net, "ip", database, 1, "lmdb")
    assert "File not found: no.prototxt" in fails(weights, "no.prototxt", "ip", database, 1, "lmdb")
    assert "num_batches is '0'" in fails(weights, net, "ip", database, 0, "lmdb")
    assert "num_batches is '2x'" in fails(weights, net, "ip", database, "2x", "lmdb")
    assert "no GPU support" in fails(weights, net, "ip", database, 1, "lmdb", "GPU", 0)
    assert "the device is 'TPU'" in fails(weights, net, "ip", database, 1, "lmdb", "TPU")
    assert "sqlite" in fails(weights, net, "ip", database, 1, "sqlite")
    assert "takes at most 8 arguments" in fails(weights, net, "ip", database, 1, "lmdb", "CPU", 0, "more")
    database.mkdir()
    assert f"{database} exists already" in error(weights, net, "ip", database, 1, "lmdb", tool="extract_features")


OLD_NET = """
input: "data" input_dim: 1 input_dim: 2 input_dim: 3 input_dim: 4
layers { name: "relu" type: RELU bottom: "data" top: "relu" }
"""
NEW_NET = """
layer { name: "input" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 3 dim: 4 } } }
layer { name: "relu" type: "ReLU" bottom: "data" top: "relu" }
"""


def parsed(text: str, message):
    text_format.Parse(text, message)
    return message


def test_upgrade_net_proto_text(tmp_path):
    old, new = tmp_path / "old.prototxt", tmp_path / "new.prototxt"
    old.write_text(OLD_NET)
    assert f"Wrote upgraded NetParameter to {new}" in messages(run("upgrade_net_proto_text", old, new))
    assert parsed(new.read_text(), NetParameter()) == parsed(NEW_NET, NetParameter())
    again = tmp_path / "again.prototxt"
    done = run("upgrade_net_proto_text", new, again)
    assert done.returncode == 0
    assert f"File already in latest proto format: {new}" in done.stderr
    assert again.read_text() == new.read_text()


def test_upgrade_net_proto_binary(tmp_path):
    old, new = tmp_path / "old.caffemodel", tmp_path / "new.caffemodel"
    old.write_bytes(parsed(OLD_NET, NetParameter()).SerializeToString())
    messages(run("upgrade_net_proto_binary", old, new))
    assert NetParameter.FromString(new.read_bytes()) == parsed(NEW_NET, NetParameter())


def test_upgrade_solver_proto_text(tmp_path):
    old, new = tmp_path / "old.prototxt", tmp_path / "new.prototxt"
    old.write_text('net: "x" solver_type: NESTEROV base_lr: 0.5')
    messages(run("upgrade_solver_proto_text", old, new))
    expected = SolverParameter(net="x", type="Nesterov", base_lr=0.5)
    assert parsed(new.read_text(), SolverParameter()) == expected


@pytest.mark.parametrize("tool", ["upgrade_net_proto_text", "upgrade_net_proto_binary", "upgrade_solver_proto_text"])
def test_upgrades_say_what_is_wrong(tmp_path, tool):
    old, new = tmp_path / "old", tmp_path / "new"
    assert "File not found: no" in error("no", new, tool=tool)
    old.write_text("layers { nmae: 'x' }")
    assert str(old) in error(old, new, tool=tool)
    assert "got 3 arguments" in error(old, new, "more", tool=tool)
    assert not new.exists()


@pytest.mark.parametrize(
    "tool",
    ["extract_features", "upgrade_net_proto_text", "upgrade_net_proto_binary", "upgrade_solver_proto_text"],
)
def test_usage(tool):
    done = run(tool)
    assert done.returncode == 1
    assert f"usage: {tool} " in done.stdout
