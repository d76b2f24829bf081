"""The command `rxnn`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

import caffe

from . import HardwareError, SolveError
from .add_data import add_data
from .array_commands import array_command, spice
from .convert import convert
from .demo import run_demo
from .errors import Error
from .evaluate import evaluate, take_apart
from .hardware import presets
from .options import check_output_file, check_output_folder
from .progress import progress_bar
from .report import (
    conversion_json,
    conversion_table,
    evaluation_json,
    evaluation_table,
    results_console,
    write_json,
)

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

_model = click.option("--model", required=True, metavar="FILE", help="Network definition (.prototxt).")
_weights = click.option("--weights", required=True, metavar="FILE", help="Its weights (.caffemodel, or .h5).")
_layers = click.option(
    "--layers",
    metavar="REGEX",
    help="Only layers with a match in their name: 'conv' for conv1 and conv2, '^conv1$' for conv1 alone. "
    "Default: every Convolution and InnerProduct.",
)
_exclude = click.option("--exclude", metavar="REGEX", help="Leave layers with a match in their name.")
_json = click.option(
    "--json", "json_file", metavar="FILE", callback=check_output_file, help="Also write the table as JSON."
)


@click.group(context_settings=_CONTEXT, invoke_without_command=True)
@click.version_option(package_name="rxnn", prog_name="rxnn")
@click.pass_context
def cli(context: click.Context) -> None:
    """Runs deep neural networks as on resistive crossbars.

    Hardware is described by a file with the fields of CrossbarParameter (docs/hardware.md), or named by a preset of
    models/hardware: ideal, rram_64x64, pcm_128x128, analog_64x64.

    \b
    The accuracy a network loses on a chip, in one step:
      rxnn evaluate --model net.prototxt --weights net.caffemodel --hardware rram_64x64
    The same in two, with files that `caffe test` and pycaffe run:
      rxnn convert --model net.prototxt --weights net.caffemodel --hardware rram_64x64 \\
                   --out-model xbar.prototxt --out-weights xbar.caffemodel
      caffe test --model xbar.prototxt --weights xbar.caffemodel
    What its wires do to one array of a layer, and what a circuit simulator says of the same array:
      rxnn array --model net.prototxt --weights net.caffemodel --layer conv1 --hardware rram_64x64 --out study
      rxnn spice check --model net.prototxt --weights net.caffemodel --layer conv1 --hardware rram_64x64
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command("convert", context_settings=_CONTEXT)
@_model
@_weights
@click.option("--hardware", required=True, metavar="FILE|PRESET", help="The chip to put the layers on.")
@click.option("--out-model", required=True, metavar="FILE", help="Network definition to write.")
@click.option(
    "--out-weights", required=True, metavar="FILE", help="Weights to write; .h5 for HDF5, needed beyond 2 GiB."
)
@_layers
@_exclude
@click.option(
    "--online", is_flag=True, help="Copy the weights; the layers compute the conductances when they are loaded."
)
@_json
def convert_command(json_file: str | None, **arguments: str | bool | None) -> None:
    """Puts a model's Convolution and InnerProduct layers on crossbars.

    Their weights are quantised, sliced, tiled and programmed, and the equivalent conductances of every array, wires
    included, are computed and stored. Prints, per layer, the weight matrix (rows x columns), the pieces it is cut into
    (tiles), the physical arrays (with group_packing also how many there would be without it), the share of their cells
    in use, and how far wires and variation move the conductances. Both files are written at the end, or none.
    """
    with progress_bar("arrays") as progress:
        reports = convert(progress=progress, **arguments)
    results_console().print(conversion_table(reports))
    click.echo(f"Written: {arguments['out_model']}, {arguments['out_weights']}")
    if json_file:
        write_json(conversion_json(reports), json_file)


@cli.command("evaluate", context_settings=_CONTEXT)
@_model
@_weights
@click.option(
    "--hardware",
    "hardware",
    required=True,
    multiple=True,
    metavar="FILE|PRESET [...]",
    help="One or several chips; the option may also be repeated.",
)
@click.argument("more_hardware", nargs=-1, metavar="")
@click.option("--iterations", default=50, show_default=True, metavar="N", help="Batches to average over.")
@click.option(
    "--explain", is_flag=True, help="Take the drop on one chip apart: quantisation, + converters, + wires, + cells."
)
@_layers
@_exclude
@_json
def evaluate_command(
    hardware: tuple[str, ...], more_hardware: tuple[str, ...], explain: bool, json_file: str | None, **arguments: str
) -> None:
    """Compares a model's TEST outputs plain and on hardware.

    Runs the TEST phase as `caffe test` does, once plain and once per chip with the layers mapped in memory, and prints
    every scalar output averaged over the iterations: by how much an accuracy dropped, a loss rose; and how many of all
    ADC conversions had a current beyond the range of their converter, with the layer where it is worst. Seconds are
    those of all iterations, with the mapping and extraction of the layers; images/s leaves these out.
    """
    chips = [*hardware, *more_hardware]
    if explain and len(chips) != 1:
        raise Error(f"--explain takes one hardware, not {len(chips)}")
    with progress_bar("images") as progress:
        if explain:
            evaluation = take_apart(hardware=chips[0], progress=progress, **arguments)
        else:
            evaluation = evaluate(hardware=chips, progress=progress, **arguments)
    title = f"Causes of the drop on {Path(chips[0]).stem}" if explain else "Outputs"
    results_console().print(evaluation_table(evaluation, title))
    if json_file:
        write_json(evaluation_json(evaluation), json_file)


@cli.command("add-data", context_settings=_CONTEXT, short_help="Makes a deploy network one that can be scored.")
@_model
@click.option("--source", required=True, metavar="DATABASE|LIST", help="Made by convert_imageset; or a list of images.")
@click.option("--root", default="", metavar="FOLDER", help="Where the names of the list start.")
@click.option("--mean", default="", metavar="B,G,R", help="Subtracted from every channel: one number, or one each.")
@click.option("--mean-file", metavar="FILE", help="Or a mean image, made by compute_image_mean.")
@click.option("--scale", default=1.0, show_default=True, metavar="S", help="Multiplied once the mean is subtracted.")
@click.option("--crop", type=int, metavar="N", help="Side of the centre crop.  [default: the input's size]")
@click.option("--batch-size", default=50, show_default=True, metavar="N", help="Images per iteration.")
@click.option("--top-k", default="1,5", show_default=True, metavar="K,...", help="One accuracy each.")
@click.option("--out-model", required=True, metavar="FILE", help="Network definition to write.")
def add_data_command(mean: str, top_k: str, **arguments: str | float | None) -> None:
    """Makes a deploy network one that `caffe test` and `rxnn evaluate` can score.

    The Input layer becomes a data layer that reads a database or a list of labelled images ("name label" on each line),
    and the Softmax at the end becomes a loss and accuracies. The weights stay as they are.
    """
    add_data(mean=_numbers("--mean", mean, float), top_k=_numbers("--top-k", top_k, int), **arguments)
    click.echo(f"Written: {arguments['out_model']}")


@cli.command("presets", context_settings=_CONTEXT)
def presets_command() -> None:
    """Lists the hardware presets."""
    for name in presets():
        click.echo(name)


@cli.command("demo", context_settings=_CONTEXT, short_help="The main job on real handwritten digits.")
@click.option(
    "--out",
    default="demo",
    show_default=True,
    metavar="FOLDER",
    callback=check_output_folder,
    help="Where the files go.",
)
@click.option(
    "--build",
    "build_folder",
    default=None,
    metavar="FOLDER",
    help="Where bin/caffe and bin/convert_imageset are.  [default: build/ of the source tree]",
)
@_json
def demo_command(out: str, build_folder: str | None, json_file: str | None) -> None:
    """The main job on real handwritten digits: LMDB, caffe train, caffe test, convert, caffe test again.

    Takes LeNet and the UCI digits from models/lenet_digits, makes databases with convert_imageset, trains with
    `caffe train`, tests the plain network with `caffe test` on 450 images, converts it to every preset, tests again,
    and prints the accuracies.
    """
    results = run_demo(Path(out), Path(build_folder) if build_folder else None, results_console())
    if json_file:
        write_json(results, json_file)


cli.add_command(array_command)
cli.add_command(spice)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; what a user can get wrong ends as one line on stderr and exit status 1."""
    if "GLOG_minloglevel" not in os.environ:
        caffe.init_log(2, stderr=True)  # the engine's log of every layer is for `caffe`, not for a table
    try:
        status = cli.main(arguments, prog_name="rxnn", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit("rxnn: interrupted")
    except click.ClickException as error:
        sys.exit(_one_line(error.format_message()))
    except (Error, HardwareError, SolveError, caffe.Error, OSError, ValueError) as error:
        sys.exit(_one_line(str(error)))
    sys.exit(status if isinstance(status, int) else 0)


def _numbers(option: str, text: str, kind: type[float] | type[int]) -> list[float]:
    try:
        return [kind(part) for part in text.split(",") if part]
    except ValueError:
        raise Error(f"{option} {text!r}: expected numbers with commas between them") from None


def _one_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return "rxnn: error: " + "; ".join(lines)
