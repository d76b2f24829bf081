#!/usr/bin/env python3
"""Classifies windows of images, as R-CNN does.

    python detect.py windows.csv scores.csv --crop_mode list --model_def deploy.prototxt --pretrained_model W.caffemodel

With --crop_mode list the input is a .csv file with the columns filename, ymin, xmin, ymax, xmax (pixels); with
selective_search a .txt file with the name of an image on each line. The output is a .csv file with a line for each
window, its scores in the columns class0, class1, ...; or a .h5 file with a pandas DataFrame of the columns filename
(the index), prediction and the four edges, which needs pandas and PyTables.
"""

import argparse
import csv
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import caffe
from caffe import scripts
from caffe.files import write_beside

EDGES = ("ymin", "xmin", "ymax", "xmax")


def read_windows(file: str) -> list[tuple[str, list[tuple[float, ...]]]]:
    """The windows of a .csv file, by image."""
    windows: dict[str, list[tuple[float, ...]]] = {}
    with open(file, newline="") as stream:
        reader = csv.DictReader(stream, skipinitialspace=True)
        missing = {"filename", *EDGES} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{file} has no column {', '.join(sorted(missing))}")
        for row in reader:
            try:
                window = tuple(float(row[edge]) for edge in EDGES)
            except (TypeError, ValueError):
                raise ValueError(f"{file}:{reader.line_num}: {', '.join(EDGES)} must be numbers") from None
            windows.setdefault(row["filename"], []).append(window)
    return list(windows.items())


def read_names(file: str) -> list[str]:
    """The lines of a .txt file."""
    return [line.strip() for line in Path(file).read_text().splitlines() if line.strip()]


def save_csv(detections: list[dict[str, Any]], file: str) -> None:
    """One line for each window."""
    with open(file, "w", newline="") as stream:
        writer = csv.writer(stream)
        classes = len(detections[0]["prediction"]) if detections else 0
        writer.writerow(["filename", *EDGES, *(f"class{index}" for index in range(classes))])
        for detection in detections:
            writer.writerow([detection["filename"], *detection["window"], *detection["prediction"].tolist()])


def save_hdf5(detections: list[dict[str, Any]], file: str) -> None:
    """A DataFrame under the key `df`."""
    try:
        import pandas as pd
    except ImportError:
        raise ImportError("writing .h5 needs the Python packages pandas and tables; or write a .csv file") from None
    frame = pd.DataFrame(
        {
            "filename": [str(detection["filename"]) for detection in detections],
            "prediction": [detection["prediction"] for detection in detections],
            **{edge: [detection["window"][i] for detection in detections] for i, edge in enumerate(EDGES)},
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)  # the arrays of scores are pickled
        frame.set_index("filename").to_hdf(file, key="df", mode="w")


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input_file", help="a .csv file of windows, or a .txt file of images")
    parser.add_argument("output_file", help="the .csv or .h5 file to write")
    scripts.add_image_options(parser)
    parser.add_argument("--crop_mode", choices=("list", "selective_search"), default="selective_search")
    parser.add_argument("--context_pad", type=int, default=16, help="surroundings on each side, pixels (default: 16)")
    args = parser.parse_args(argv)
    save = {".csv": save_csv, ".h5": save_hdf5}.get(Path(args.output_file).suffix)
    expected = ".csv" if args.crop_mode == "list" else ".txt"
    if save is None:
        raise ValueError(f"{args.output_file}: the output must end in .csv or .h5")
    if Path(args.input_file).suffix != expected:
        raise ValueError(f"{args.input_file}: with --crop_mode {args.crop_mode} the input is a {expected} file")

    options = scripts.image_options(args)
    print(f"{'GPU' if args.gpu else 'CPU'} mode")
    detector = caffe.Detector(args.model_def, args.pretrained_model, context_pad=args.context_pad, **options)
    print(f"Loading input {args.input_file}")
    start = time.perf_counter()
    if args.crop_mode == "list":
        detections = detector.detect_windows(read_windows(args.input_file))
    else:
        detections = detector.detect_selective_search(read_names(args.input_file))
    print(f"Processed {len(detections)} windows in {time.perf_counter() - start:.3f} s.")
    write_beside(args.output_file, lambda name: save(detections, name))
    print(f"Saved to {args.output_file}")


if __name__ == "__main__":
    sys.exit(scripts.run(main))
