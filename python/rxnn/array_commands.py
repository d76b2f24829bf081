"""The commands that look at one array: rxnn array, rxnn spice export, rxnn spice check."""

from collections.abc import Callable
from typing import Any

import click
from rich.console import Console

from .errors import Error
from .inputs import DRIVES, Inputs, random_inputs, read_inputs
from .options import check_output_file, check_output_folder
from .physical_array import POLARITIES, PhysicalArray, layer_array, matrix_array
from .report import results_console, write_json

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_LAYER_OPTIONS = ("weights", "layer", "tile", "group", "bit_slice", "polarity")

_ARRAY_OPTIONS = (
    click.option(
        "--matrix", metavar="FILE", help="Conductances in siemens, a row per word line: .npy, .npz, or text (csv, txt)."
    ),
    click.option("--key", metavar="NAME", help="Which array of an .npz."),
    click.option("--model", metavar="FILE", help="Or a layer of a network (.prototxt), plain or on crossbars;"),
    click.option("--weights", metavar="FILE", help="its plain weights (.caffemodel, or .h5);"),
    click.option("--layer", metavar="NAME", help="the layer;"),
    click.option("--tile", metavar="ROW,COLUMN", help="the piece of its weight matrix, from 0;  [default: 0,0]"),
    click.option("--group", type=int, metavar="N", help="the group of a convolution;  [default: 0]"),
    click.option("--slice", "bit_slice", type=int, metavar="N", help="the bit slice, 0 least;  [default: 0]"),
    click.option("--polarity", type=click.Choice(POLARITIES), help="the parts of its weights.  [default: positive]"),
    click.option(
        "--hardware",
        metavar="FILE|PRESET",
        help="The chip, as a file, a preset or text ('r_sink_ohm: 50'): wires, DACs, v_read. "
        "Default: the layer's own; for a matrix, CrossbarParameter's defaults.",
    ),
)


def _input_options(vectors: int) -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--drive",
            type=click.Choice(DRIVES),
            help="What an input is: volts at the drivers, or digits of the DACs.  "
            "[default: volts for a matrix, digits for a layer]",
        ),
        click.option("--inputs", "inputs_file", metavar="FILE", help="Vectors, one per row, in a file as --matrix."),
        click.option(
            "--vectors", type=int, metavar="N", help=f"Without --inputs: so many random ones.  [default: {vectors}]"
        ),
        click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Names the random vectors."),
    )


def _with(options: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def _array(arguments: dict[str, Any]) -> PhysicalArray:
    """Takes the options of an array out of `arguments`."""
    matrix, key, model, hardware = (arguments.pop(name) for name in ("matrix", "key", "model", "hardware"))
    layer = {name: value for name in _LAYER_OPTIONS if (value := arguments.pop(name)) is not None}
    if (matrix is None) == (model is None):
        raise Error("give either --matrix FILE, or --model FILE --weights FILE --layer NAME")
    if matrix is not None:
        if layer:
            raise Error(f"{_option(next(iter(layer)))} belongs to --model, not to --matrix")
        return matrix_array(matrix, "" if hardware is None else hardware, key=key)
    if key is not None:
        raise Error("--key belongs to --matrix, not to --model")
    for name in ("weights", "layer"):
        if name not in layer:
            raise Error(f"--model needs {_option(name)}")
    if "tile" in layer:
        layer["tile"] = _tile(layer["tile"])
    return layer_array(model, hardware=hardware, **layer)


def _option(name: str) -> str:
    return "--slice" if name == "bit_slice" else f"--{name}"


def _tile(text: str) -> tuple[int, int]:
    try:
        row, column = (int(part) for part in text.split(","))
    except ValueError:
        raise Error(f"--tile {text!r}: expected ROW,COLUMN, such as 0,1") from None
    return row, column


def _inputs(array: PhysicalArray, arguments: dict[str, Any], *, default_vectors: int, default_drive: str) -> Inputs:
    """Takes the options of the inputs out of `arguments`."""
    drive, path, vectors, seed = (arguments.pop(name) for name in ("drive", "inputs_file", "vectors", "seed"))
    drive = drive or default_drive
    if path is None:
        return random_inputs(array, drive, default_vectors if vectors is None else vectors, seed)
    if vectors is not None:
        raise Error("--inputs and --vectors exclude each other")
    return read_inputs(array, drive, path)


def _drive(arguments: dict[str, Any]) -> str:
    return "volts" if arguments["matrix"] is not None else "digits"


@click.command("array", context_settings=_CONTEXT, short_help="Pictures of what wires do to one array.")
@_with(_ARRAY_OPTIONS)
@_with(_input_options(1000))
@click.option(
    "--out",
    required=True,
    metavar="FOLDER",
    callback=check_output_folder,
    help="Where the pictures and the numbers go.",
)
def array_command(out: str, **arguments: Any) -> None:
    """Shows what wires do to one array: pictures (PNG) and numbers (JSON).

    \b
    ir_drop.png       voltage that every cell loses to the wires, with v_read at all rows in use
                      (with --inputs: for the first vector of the file)
    conductance.png   effective conductance of every cell against the programmed one
    column_error.png  histogram of every column's relative error over the input vectors
    array.json        all of it as numbers
    """
    from .array_study import study_array, study_table, write_study

    drive = _drive(arguments)
    given = arguments["inputs_file"] is not None
    array = _array(arguments)
    inputs = _inputs(array, arguments, default_vectors=1000, default_drive=drive)
    study = study_array(array, inputs, inputs.volts(array)[0] if given else None)
    files = write_study(study, out)
    console = results_console()
    console.print(study_table(study))
    console.print("Written: " + ", ".join(str(path) for path in files), soft_wrap=True, highlight=False)


@click.group(
    "spice",
    context_settings=_CONTEXT,
    invoke_without_command=True,
    short_help="Netlists of arrays for ngspice; the model against it.",
)
@click.pass_context
def spice(context: click.Context) -> None:
    """Arrays in ngspice: netlists, and a check of the fast crossbar model (FCM).

    \b
    A matrix of conductances, ten random voltage vectors:
      rxnn spice check --matrix g.csv
    An array of a network's layer, as it is programmed on a chip:
      rxnn spice check --model net.prototxt --weights net.caffemodel --layer conv1 --hardware rram_64x64
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@spice.command("export", context_settings=_CONTEXT, short_help="Writes the netlist of an array.")
@_with(_ARRAY_OPTIONS)
@_with(_input_options(1))
@click.option("--out", required=True, metavar="FILE", callback=check_output_file, help="The netlist to write.")
def export_command(out: str, **arguments: Any) -> None:
    """Writes the netlist of an array: cells, wires, drivers, DACs, sense resistors.

    One input vector makes an operating point, several make a DC sweep over their numbers. docs/spice.md explains the
    names in it. Run it with: ngspice -b -r g.raw FILE
    """
    from .spice import export_netlist

    drive = _drive(arguments)
    array = _array(arguments)
    inputs = _inputs(array, arguments, default_vectors=1, default_drive=drive)
    export_netlist(array, inputs, out)
    vectors = "1 vector" if len(inputs.values) == 1 else f"{len(inputs.values)} vectors"
    rows, cols = array.g.shape
    click.echo(f"{out}: {array.name}, {rows} x {cols} cells, {vectors}")


@spice.command("check", context_settings=_CONTEXT, short_help="Compares the model's currents with ngspice's.")
@_with(_ARRAY_OPTIONS)
@_with(_input_options(10))
@click.option(
    "--tolerance", type=float, default=1e-9, show_default=True, metavar="X", help="Relative error that is agreement."
)
@click.option("--ngspice", metavar="PROGRAM", help="The ngspice to run.  [default: the one of the search path]")
@click.option(
    "--timeout", type=float, default=600.0, show_default=True, metavar="SECONDS", help="When to stop ngspice."
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    callback=check_output_file,
    help="Also write the tables as JSON, with all columns.",
)
def check_command(
    tolerance: float, ngspice: str | None, timeout: float, json_file: str | None, **arguments: Any
) -> int:
    """Compares the column currents of the FCM with those of ngspice.

    Prints the relative error of every column over the input vectors and the time of each. Exit status 1 where the
    worst error is beyond the tolerance, or where ngspice finds no solution.
    """
    from .spice import check
    from .spice.report import check_json, check_table, times_table

    drive = _drive(arguments)
    array = _array(arguments)
    inputs = _inputs(array, arguments, default_vectors=10, default_drive=drive)
    waiting = f"ngspice: {array.g.shape[0]} x {array.g.shape[1]} cells, {len(inputs.values)} vectors"
    with Console(stderr=True).status(waiting):
        result = check(array, inputs, tolerance=tolerance, program=ngspice, timeout=timeout)
    console = results_console()
    console.print(check_table(result))
    console.print(times_table(result))
    verdict = "agree" if result.agrees else "DISAGREE"
    if result.newton_worst is None:
        console.print(f"FCM and ngspice {verdict}: worst relative error {result.worst:.2e}, tolerance {tolerance:g}")
    else:
        console.print(
            f"Newton's method and ngspice {verdict}: worst relative error {result.newton_worst:.2e}, "
            f"tolerance {tolerance:g}; the FCM, at effective conductances, is {result.worst:.2e} off"
        )
    if json_file:
        write_json(check_json(result), json_file)
    return 0 if result.agrees else 1
