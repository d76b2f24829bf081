"""convert_imageset and compute_image_mean, against python-lmdb, Pillow and numpy."""

import functools
import re
import signal
import subprocess
import time
from pathlib import Path

import h5py
import lmdb
import numpy as np
import pytest
from PIL import Image

import caffe_command
from caffe.proto import caffe_pb2
from caffe_command import BIN

run = functools.partial(caffe_command.run, timeout=60)


def succeeds(tool: str, *arguments: object) -> str:
    done = run(tool, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stderr


def fails(tool: str, *arguments: object) -> str:
    """Runs what must fail: exit code 1 (a signal would be negative), stderr ends with a one-line message."""
    done = run(tool, *arguments)
    assert done.returncode == 1, (done.returncode, done.stderr)
    start = f"{tool}: error: "
    assert done.stderr.count(start) == 1, done.stderr
    message = done.stderr[done.stderr.index(start) :]
    assert message.count("\n") == 1
    return message


def records(database: Path) -> dict[str, caffe_pb2.Datum]:
    with lmdb.open(str(database), readonly=True, lock=False) as env, env.begin() as transaction:
        return {key.decode(): caffe_pb2.Datum.FromString(value) for key, value in transaction.cursor()}


def planes(datum: caffe_pb2.Datum) -> np.ndarray:
    return np.frombuffer(datum.data, np.uint8).reshape(datum.channels, datum.height, datum.width)


@pytest.fixture
def images(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Five PNG images of 6 x 8 and their list, which has a name with a space and a negative label."""
    lines = []
    for index, label in enumerate([3, 0, -1, 7, 12]):
        name = f"pic {index}.png"
        Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)).save(tmp_path / name)
        lines.append(f"{name} {label}\n")
    (tmp_path / "list.txt").write_text("".join(lines))
    return tmp_path


def convert(images: Path, *flags: str, database: str = "db") -> Path:
    succeeds("convert_imageset", *flags, f"{images}/", images / "list.txt", images / database)
    return images / database


def bgr(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))[:, :, ::-1].transpose(2, 0, 1)


def left_overs(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.suffix not in {".png", ".txt", ".jpg"})


def test_convert_stores_planes_in_list_order(images: Path) -> None:
    log = succeeds("convert_imageset", f"{images}/", images / "list.txt", images / "db")
    assert "] A total of 5 images.\n" in log
    assert "] Processed 5 files.\n" in log
    found = records(images / "db")
    assert list(found) == [f"{i:08d}_pic {i}.png" for i in range(5)]
    assert [datum.label for datum in found.values()] == [3, 0, -1, 7, 12]
    for index, datum in enumerate(found.values()):
        assert not datum.encoded
        np.testing.assert_array_equal(planes(datum), bgr(images / f"pic {index}.png"))
    assert left_overs(images) == ["db"]


def test_convert_gray(images: Path) -> None:
    for datum in records(convert(images, "--gray")).values():
        assert (datum.channels, datum.height, datum.width) == (1, 6, 8)


def test_convert_resizes(images: Path) -> None:
    for datum in records(convert(images, "--resize_height=4", "--resize_width=5")).values():
        assert (datum.channels, datum.height, datum.width) == (3, 4, 5)


def test_convert_stores_files_as_they_are(images: Path) -> None:
    for index, datum in enumerate(records(convert(images, "--encoded")).values()):
        assert datum.encoded
        assert datum.data == (images / f"pic {index}.png").read_bytes()


@pytest.mark.parametrize(("encoding", "magic"), [("jpg", b"\xff\xd8"), ("png", b"\x89PNG")])
def test_convert_encodes(images: Path, encoding: str, magic: bytes) -> None:
    flags = ["--encoded", f"--encode_type={encoding}", "--resize_height=4", "--resize_width=5"]
    for datum in records(convert(images, *flags)).values():
        assert datum.encoded
        assert datum.data.startswith(magic)


def test_convert_shuffles_images_with_their_labels(images: Path) -> None:
    orders = set()
    for attempt in range(4):
        found = records(convert(images, "--shuffle", database=f"db{attempt}"))
        assert [key[:8] for key in found] == [f"{i:08d}" for i in range(5)]
        labels = {key[9:]: datum.label for key, datum in found.items()}
        assert labels == {f"pic {i}.png": label for i, label in enumerate([3, 0, -1, 7, 12])}
        orders.add(tuple(labels))
    assert len(orders) > 1  # 4 times the same: 1 in 120^3


def test_convert_many_commits(images: Path) -> None:
    (images / "list.txt").write_text("pic 0.png 1\n" * 2100)
    log = succeeds("convert_imageset", f"{images}/", images / "list.txt", images / "db")
    for count in (1000, 2000, 2100):
        assert f"] Processed {count} files.\n" in log
    assert len(records(images / "db")) == 2100


def test_convert_leveldb_is_read_back(images: Path) -> None:
    raw, level = convert(images), convert(images, "--backend=leveldb", database="level")
    assert (level / "CURRENT").exists()
    succeeds("compute_image_mean", raw, images / "raw.txt")
    succeeds("compute_image_mean", "--backend=leveldb", level, images / "level.txt")
    assert (images / "raw.txt").read_bytes() == (images / "level.txt").read_bytes()


@pytest.mark.parametrize("flags", [[], ["--encoded"]])
def test_mean_is_the_mean(images: Path, flags: list[str]) -> None:
    database = convert(images, *flags)
    log = succeeds("compute_image_mean", database, images / "mean.txt")
    mean = caffe_pb2.BlobProto.FromString((images / "mean.txt").read_bytes())
    assert (mean.num, mean.channels, mean.height, mean.width) == (1, 3, 6, 8)
    expected = np.mean([bgr(images / f"pic {i}.png") for i in range(5)], axis=0)
    # Sums of integers in double are exact; one division, and the rounding to float.
    np.testing.assert_array_equal(np.array(mean.data, np.float32), (expected * 5 / 5).astype(np.float32).ravel())
    assert "] Number of channels: 3\n" in log
    for channel in range(3):
        assert f"] mean_value channel [{channel}]: {expected[channel].mean():g}\n" in log


def test_mean_without_output_only_prints(images: Path) -> None:
    database = convert(images)
    before = left_overs(images)
    assert "mean_value channel [2]" in succeeds("compute_image_mean", database)
    assert left_overs(images) == before


@pytest.mark.parametrize("tool", ["convert_imageset", "compute_image_mean"])
def test_usage(tool: str) -> None:
    done = run(tool)
    assert done.returncode == 1
    assert f"usage: {tool}" in done.stdout
    helped = run(tool, "--help")
    assert (helped.returncode, helped.stdout) == (0, done.stdout)
    assert run(tool, "--version").stdout == f"{tool} version 1.0.0\n"
    assert "unknown command line flag 'nonsense'" in run(tool, "--nonsense").stderr


def bad_line(images: Path, line: str) -> str:
    """What converting says of a list whose third line is `line`; nothing of the database is left."""
    (images / "list.txt").write_text(f"pic 0.png 1\npic 1.png 1\n{line}\npic 2.png 1\n")
    message = fails("convert_imageset", f"{images}/", images / "list.txt", images / "db")
    assert f"{images}/list.txt:3: " in message
    assert left_overs(images) == []
    return message


def test_convert_names_what_cannot_be_read(images: Path) -> None:
    assert f"File not found: {images}/none.png" in bad_line(images, "none.png 4")
    (images / "noise.jpg").write_bytes(b"no image at all")
    assert "noise.jpg" in bad_line(images, "noise.jpg 4")
    Image.open(images / "pic 0.png").resize((64, 64)).save(images / "cut.jpg")
    whole = (images / "cut.jpg").read_bytes()
    (images / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    assert "truncated" in bad_line(images, "cut.jpg 4")
    (images / "empty.png").write_bytes(b"")
    assert "empty.png" in bad_line(images, "empty.png 4")
    assert 'expected "<image> <label>"' in bad_line(images, "pic0.png")
    assert 'expected "<image> <label>"' in bad_line(images, "pic 0.png one")


def test_convert_encoded_names_a_cut_image(images: Path) -> None:
    whole = (images / "pic 3.png").read_bytes()
    (images / "pic 3.png").write_bytes(whole[:40])
    arguments = ["--encoded", f"{images}/", images / "list.txt", images / "db"]
    assert f"list.txt:4: pic 3.png: {images}/pic 3.png" in fails("convert_imageset", *arguments)
    assert left_overs(images) == []


def test_convert_refuses_bad_arguments(images: Path) -> None:
    database = images / "db"
    root = f"{images}/"
    good = [root, images / "list.txt", database]
    assert "File not found" in fails("convert_imageset", root, images / "none.txt", database)
    assert "directory" in fails("convert_imageset", root, images, database)
    assert "--resize_width" in fails("convert_imageset", "--resize_height=4", *good)
    assert "lmdb and leveldb" in fails("convert_imageset", "--backend=sqlite", *good)
    assert "cannot be encoded as txt" in fails("convert_imageset", "--encoded", "--encode_type=txt", *good)
    assert "missing" in fails("convert_imageset", root, images / "list.txt", images / "missing" / "db")
    assert "got 4 arguments" in fails("convert_imageset", *good, "more")
    (images / "empty.txt").write_text("")
    assert "names no image" in fails("convert_imageset", root, images / "empty.txt", database)
    assert left_overs(images) == []


def test_convert_keeps_an_existing_database(images: Path) -> None:
    database = convert(images)
    before = (database / "data.mdb").read_bytes()
    for name in (database, f"{database}/"):
        message = fails("convert_imageset", f"{images}/", images / "list.txt", name)
        assert f"{database} exists already" in message
    assert (database / "data.mdb").read_bytes() == before
    assert left_overs(images) == ["db"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_convert_interrupted_leaves_nothing(images: Path, number: signal.Signals) -> None:
    (images / "list.txt").write_text("pic 0.png 1\n" * 200_000)
    arguments = [f"{images}/", images / "list.txt", images / "db"]
    with subprocess.Popen([BIN / "convert_imageset", *arguments], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not left_overs(images) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    assert log.endswith("convert_imageset: error: interrupted; no database was made\n")
    assert left_overs(images) == []


def test_convert_checks_sizes(images: Path) -> None:
    convert(images, "--check_size")
    Image.new("RGB", (9, 9)).save(images / "pic 4.png")
    arguments = ["--check_size", f"{images}/", images / "list.txt", images / "other"]
    assert "list.txt:5: pic 4.png: has 243 bytes" in fails("convert_imageset", *arguments)
    assert left_overs(images) == ["db"]


def test_mean_refuses_bad_databases(images: Path) -> None:
    out = images / "mean.txt"
    assert "Database not found" in fails("compute_image_mean", images / "none", out)
    bad = images / "bad"
    bad.mkdir()
    (bad / "data.mdb").write_bytes(b"garbage" * 5000)
    assert str(bad) in fails("compute_image_mean", bad, out)
    assert "no LevelDB database" in fails("compute_image_mean", "--backend=leveldb", bad, out)
    database = convert(images)
    data = (database / "data.mdb").read_bytes()
    (database / "data.mdb").write_bytes(data[: len(data) // 2])
    assert "truncated" in fails("compute_image_mean", database, out)
    assert not out.exists()


def test_mean_names_the_record_that_does_not_fit(images: Path) -> None:
    Image.new("RGB", (9, 9)).save(images / "pic 4.png")
    database = convert(images)
    message = fails("compute_image_mean", database, images / "mean.txt")
    assert "record '00000004_pic 4.png'" in message
    assert "3 x 9 x 9" in message
    with lmdb.open(str(database)) as env, env.begin(write=True) as transaction:
        transaction.put(b"00000002_pic 2.png", b"\xff\xff no datum")
    assert "record '00000002_pic 2.png'" in fails("compute_image_mean", database, images / "mean.txt")
    assert not (images / "mean.txt").exists()


def test_mean_needs_a_place_to_write(images: Path) -> None:
    database = convert(images)
    assert "Cannot write" in fails("compute_image_mean", database, images / "missing" / "mean")


def test_mean_reads_what_other_programs_wrote(tmp_path: Path, rng: np.random.Generator) -> None:
    """A database with a history: records put in any order, written over with other sizes, deleted."""
    shapes = {"small": (1, 2, 3), "large": (3, 40, 50)}
    for name, shape in shapes.items():
        kept: dict[bytes, np.ndarray] = {}
        with lmdb.open(str(tmp_path / name), map_size=1 << 28) as env:
            for _ in range(20):
                with env.begin(write=True) as transaction:
                    for index in rng.integers(0, 600, 60):
                        key = f"{index}".encode()
                        image = rng.integers(0, 256, shape, dtype=np.uint8)
                        datum = caffe_pb2.Datum(channels=shape[0], height=shape[1], width=shape[2])
                        datum.data = image.tobytes()
                        transaction.put(key, datum.SerializeToString())
                        kept[key] = image
                    for key in list(kept)[:: int(rng.integers(2, 5))]:
                        transaction.delete(key)
                        del kept[key]
        succeeds("compute_image_mean", tmp_path / name, tmp_path / "mean")
        mean = caffe_pb2.BlobProto.FromString((tmp_path / "mean").read_bytes())
        expected = np.mean(list(kept.values()), axis=0).astype(np.float32)
        np.testing.assert_array_equal(np.array(mean.data, np.float32), expected.ravel())


def test_caffe_test_names_or_skips_a_bad_image(lenet: tuple[Path, Path], tmp_path: Path) -> None:
    model, weights = lenet
    lines = (model.parent / "list.txt").read_text().splitlines()
    lines.insert(7, f"{tmp_path}/none.png 3")
    (tmp_path / "list.txt").write_text("\n".join(lines))
    text = model.read_text().replace(f"{model.parent}/list.txt", f"{tmp_path}/list.txt")
    (tmp_path / "net.prototxt").write_text(text)
    arguments = ["test", f"--model={tmp_path}/net.prototxt", f"--weights={weights}", "--iterations=2"]
    assert f"{tmp_path}/list.txt:8: {tmp_path}/none.png: File not found" in caffe_command.error(*arguments)
    skipping = caffe_command.messages(caffe_command.caffe(*arguments, "--skip_corrupt"))
    whole = caffe_command.messages(
        caffe_command.caffe("test", f"--model={model}", f"--weights={weights}", "--iterations=2")
    )
    assert "Skipped 1 corrupt records." in skipping
    assert any(re.fullmatch(r"Waited for data: \S+ s of \S+ s \(\S+ %\)", line) for line in whole)
    # The same images, the same scores.
    scores = [[line for line in lines if line.startswith("accuracy = ")] for lines in (skipping, whole)]
    assert scores[0] == scores[1] != []


@pytest.mark.parametrize("kind", ["raw", "encoded", "hdf5"])
def test_caffe_test_names_or_skips_a_corrupt_record(images: Path, kind: str) -> None:
    """The third record; the labels of the batches tell which were read."""
    if kind == "hdf5":
        for index, label in enumerate([3, 0, -1, 7, 12]):
            with h5py.File(images / f"{index}.h5", "w") as file:
                file["label"] = [label]
        (images / "2.h5").write_bytes((images / "2.h5").read_bytes()[:-9])
        (images / "files.txt").write_text("".join(f"{images}/{index}.h5\n" for index in range(5)))
        layer = f'type: "HDF5Data" top: "label" hdf5_data_param {{ source: "{images}/files.txt" batch_size: 2 }}'
        what = f"{images}/2.h5: truncated"
    else:
        database = convert(images, *(["--encoded"] if kind == "encoded" else []))
        key = b"00000002_pic 2.png"
        with lmdb.open(str(database)) as env, env.begin(write=True) as transaction:
            datum = caffe_pb2.Datum.FromString(transaction.get(key))
            datum.data = datum.data[:-30]
            transaction.put(key, datum.SerializeToString())
        layer = f"""type: "Data" top: "data" top: "label"
            data_param {{ source: "{database}" backend: LMDB batch_size: 2 }}"""
        what = f"record '{key.decode()}' of {database}: "
    silence = 'layer { name: "silence" type: "Silence" bottom: "data" }' if kind != "hdf5" else ""
    (images / "net.prototxt").write_text(f'layer {{ name: "in" {layer} }} {silence}')
    (images / "net.caffemodel").write_bytes(caffe_pb2.NetParameter(name="none").SerializeToString())
    arguments = ["test", f"--model={images}/net.prototxt", f"--weights={images}/net.caffemodel", "--iterations=3"]
    assert what in caffe_command.error(*arguments)
    skipping = caffe_command.messages(caffe_command.caffe(*arguments, "--skip_corrupt"))
    labels = [int(line.split(" = ")[1]) for line in skipping if line.startswith("Batch ")]
    assert labels == [3, 0, 7, 12, 3, 0]
    assert "Skipped 1 corrupt records." in skipping
