#!/usr/bin/env python3
"""Draws a network: layers as boxes, blobs as octagons.

    python draw_net.py train_val.prototxt net.png --rankdir TB

Needs the Python package pydot, and Graphviz for pictures (.png, .svg, .pdf); .dot is text and needs no Graphviz.
"""

import argparse
import sys
from collections.abc import Sequence

import caffe
import caffe.draw
from caffe import _caffe, scripts
from caffe.proto import caffe_pb2


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input_net_proto_file", help="the network, a prototxt")
    parser.add_argument("output_image_file", help="the picture to write; its ending is its format")
    parser.add_argument("--rankdir", choices=("TB", "BT", "LR", "RL"), default="LR", help="direction (default: LR)")
    parser.add_argument("--phase", choices=("TRAIN", "TEST", "ALL"), default="ALL", help="layers of a phase, or all")
    parser.add_argument("--display_lrm", action="store_true", help="show learning-rate multipliers")
    args = parser.parse_args(argv)

    net = caffe_pb2.NetParameter.FromString(_caffe.read_net(args.input_net_proto_file))
    print(f"Drawing net to {args.output_image_file}")
    phase = {"TRAIN": caffe.TRAIN, "TEST": caffe.TEST, "ALL": None}[args.phase]
    caffe.draw.draw_net_to_file(net, args.output_image_file, args.rankdir, phase, args.display_lrm)


if __name__ == "__main__":
    sys.exit(scripts.run(main))
