"""Results as tables for people and as JSON for programs."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from .convert import LayerReport
from .evaluate import Evaluation, Result
from .model import FilePath


def results_console() -> Console:
    """Standard output; as wide as its tables when it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=140)


def conversion_table(reports: Sequence[LayerReport]) -> Table:
    """One line per layer, and the sum."""
    table = Table(title="Layers on crossbars", show_footer=True)
    table.add_column("layer", footer="total")
    table.add_column("rows x columns", justify="right")
    table.add_column("tiles", justify="right", footer=str(sum(r.tiles for r in reports)))
    table.add_column("arrays", justify="right", footer=str(sum(r.arrays for r in reports)))
    packed = any(r.arrays != r.arrays_without_packing for r in reports)
    if packed:
        table.add_column("unpacked", justify="right", footer=str(sum(r.arrays_without_packing for r in reports)))
    table.add_column("utilisation", justify="right")
    table.add_column("mean change of G", justify="right")
    table.add_column("worst", justify="right")
    for r in reports:
        groups = f"{r.groups} x " if r.groups > 1 else ""
        table.add_row(
            r.layer,
            f"{groups}{r.rows} x {r.columns}",
            str(r.tiles),
            str(r.arrays),
            *([str(r.arrays_without_packing)] if packed else []),
            f"{r.utilisation:.1%}",
            _percent(r.mean_relative_change),
            _percent(r.worst_relative_change),
        )
    return table


def evaluation_table(evaluation: Evaluation, title: str) -> Table:
    """One line per run; for every output its value and by how much it is worse than the plain network's."""
    table = Table(title=f"{title}, {evaluation.iterations} iterations")
    table.add_column("hardware")
    for output in evaluation.plain.outputs:
        table.add_column(output, justify="right")
        table.add_column("rise" if output in evaluation.losses else "drop", justify="right")
    with_converters = any(result.saturated_overall is not None for result in evaluation.on_hardware)
    if with_converters:
        table.add_column("ADC saturated", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("images/s", justify="right")
    for result in (evaluation.plain, *evaluation.on_hardware):
        cells = []
        for output, value in result.outputs.items():
            drop = evaluation.drop(result, output)
            worse = -drop if output in evaluation.losses else drop
            cells += [f"{value:.4f}", "" if result is evaluation.plain else f"{worse:.4f}"]
        if with_converters:
            cells.append(_saturation(result))
        table.add_row(result.hardware, *cells, f"{result.seconds:.1f}", f"{result.images_per_second:.1f}")
    return table


def _saturation(result: Result) -> str:
    """The part of all conversions, and the layer where it is worst."""
    if result.saturated_overall is None:
        return ""
    if result.saturated_overall == 0:
        return "0%"
    worst = max(result.saturated, key=lambda layer: result.saturated[layer])
    return f"{result.saturated_overall:.2%} ({worst} {result.saturated[worst]:.2%})"


def conversion_json(reports: Sequence[LayerReport]) -> dict[str, Any]:
    """The table's content."""
    return {"layers": [dataclasses.asdict(report) for report in reports]}


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """The table's content."""

    def entry(result: Result) -> dict[str, Any]:
        drops = {output: evaluation.drop(result, output) for output in result.outputs}
        return {
            "hardware": result.hardware,
            "outputs": result.outputs,
            "drop": drops,
            "seconds": result.seconds,
            "images": result.images,
            "images_per_second": result.images_per_second,
            "adc_saturated": result.saturated_overall,
            "adc_saturated_layers": result.saturated,
        }

    return {
        "iterations": evaluation.iterations,
        "plain": entry(evaluation.plain),
        "hardware": [entry(result) for result in evaluation.on_hardware],
    }


def write_json(content: dict[str, Any], path: FilePath) -> None:
    """Writes a JSON file."""
    Path(path).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.3%}"
