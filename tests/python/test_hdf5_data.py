"""HDF5Data reads what h5py writes, and h5py reads what HDF5Output writes."""

from pathlib import Path

import h5py
import numpy as np
import pytest

import caffe


def net_of(folder: Path, layers: str) -> caffe.Net:
    (folder / "net.prototxt").write_text(layers)
    return caffe.Net(str(folder / "net.prototxt"), caffe.TEST)


def data_layer(folder: Path, batch_size: int = 3) -> str:
    (folder / "list.txt").write_text(f"{folder}/in.h5\n")
    return f"""layer {{ name: "in" type: "HDF5Data" top: "data" top: "label"
        hdf5_data_param {{ source: "{folder}/list.txt" batch_size: {batch_size} }} }}"""


@pytest.mark.parametrize("dtype", ["f4", "f8", "i1", "u2", "i8", ">f8"])
def test_reads_every_type_of_number(tmp_path: Path, rng: np.random.Generator, dtype: str) -> None:
    data = rng.integers(0, 100, (5, 2, 3)).astype(dtype)
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("data", data=data, chunks=(2, 1, 3), compression="gzip")
        file["label"] = np.arange(5)
    net = net_of(tmp_path, data_layer(tmp_path))
    for rows in ([0, 1, 2], [3, 4, 0]):
        net.forward()
        np.testing.assert_array_equal(net.blobs["data"].data, data[rows].astype("f4"))
        np.testing.assert_array_equal(net.blobs["label"].data, rows)


def test_output_is_input(tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.standard_normal((6, 2, 3)).astype("f4")
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["data"] = data
        file["label"] = np.arange(6)
    net = net_of(
        tmp_path,
        data_layer(tmp_path)
        + f"""layer {{ name: "out" type: "HDF5Output" bottom: "data" bottom: "label"
            hdf5_output_param {{ file_name: "{tmp_path}/out.h5" }} }}""",
    )
    net.forward()
    net.forward()
    del net
    with h5py.File(tmp_path / "out.h5") as file:
        np.testing.assert_array_equal(file["data"], data)
        np.testing.assert_array_equal(file["label"], np.arange(6))


def test_names_what_cannot_be_read(tmp_path: Path) -> None:
    def refuses(message: str, **datasets: object) -> None:
        with h5py.File(tmp_path / "in.h5", "w") as file:
            for name, value in datasets.items():
                if isinstance(value, tuple):
                    file.create_dataset(name, shape=value, dtype="f4", chunks=(1,) * len(value))
                else:
                    file[name] = value
        with pytest.raises(caffe.Error, match=message):
            net_of(tmp_path, data_layer(tmp_path))

    refuses("in.h5: cannot read dataset label", data=np.zeros(3), label=["a", "b", "c"])
    refuses(r"in.h5: dataset data is too large: an axis of 4294967298", data=(2**32 + 2,), label=np.zeros(2))
    refuses("too large", data=(2**20, 2**20), label=np.zeros(2))
    refuses("has no rows", data=np.float32(1), label=np.zeros(2))
    refuses("has no rows", data=np.zeros((0, 3)), label=np.zeros(0))


def test_a_damaged_shape_asks_for_no_memory(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "in.h5", "w") as file:
        data = file.create_dataset("data", data=np.zeros((4, 5), "f4"), maxshape=(None, 5), chunks=(4, 5))
        data.resize((10**8, 5))
        file["label"] = np.arange(4)
    with pytest.raises(
        caffe.Error, match=r"in\.h5: dataset data is damaged: the file holds 80 bytes for its 500000000 values"
    ):
        net_of(tmp_path, data_layer(tmp_path))
