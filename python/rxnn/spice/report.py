"""What `rxnn spice check` prints."""

from typing import Any

import numpy as np
from rich.table import Table

from .check import SpiceCheck

_COLUMNS_SHOWN = 16


def check_table(result: SpiceCheck) -> Table:
    """The error of every column; of the worst where there are many."""
    worst, mean = result.errors.max(axis=0), result.errors.mean(axis=0)
    order = np.argsort(-worst, kind="stable")[:_COLUMNS_SHOWN] if len(worst) > _COLUMNS_SHOWN else np.arange(len(worst))
    shown = f", the {len(order)} worst of {len(worst)}" if len(order) < len(worst) else ""
    title = f"Column currents of {result.array.name}, {result.times.vectors} vectors{shown}"
    table = Table(title=title, show_footer=True)
    table.add_column("column", footer="all")
    table.add_column("ngspice, mean (A)", justify="right", footer=f"{result.ngspice.mean():.6g}")
    table.add_column("FCM, mean (A)", justify="right", footer=f"{result.fcm.mean():.6g}")
    table.add_column("worst relative error", justify="right", footer=f"{result.worst:.2e}")
    table.add_column("mean", justify="right", footer=f"{result.errors.mean():.2e}")
    newton = result.newton_errors
    if newton is not None:
        table.add_column("Newton, worst", justify="right", footer=f"{newton.max():.2e}")
        table.add_column("mean", justify="right", footer=f"{newton.mean():.2e}")
    for column in order:
        cells = [
            str(column),
            f"{result.ngspice[:, column].mean():.6g}",
            f"{result.fcm[:, column].mean():.6g}",
            f"{worst[column]:.2e}",
            f"{mean[column]:.2e}",
        ]
        if newton is not None:
            cells += [f"{newton[:, column].max():.2e}", f"{newton[:, column].mean():.2e}"]
        table.add_row(*cells)
    return table


def times_table(result: SpiceCheck) -> Table:
    """Who took how long."""
    times = result.times
    table = Table(title="Time, one thread each")
    table.add_column("")
    table.add_column("seconds", justify="right")
    table.add_column("per vector", justify="right")
    table.add_column("ngspice / FCM", justify="right")
    table.add_row("ngspice, whole run", f"{times.ngspice_wall:.3g}", f"{times.ngspice_wall / times.vectors:.3g}", "")
    table.add_row("  processor time of it", f"{times.ngspice_cpu:.3g}", f"{times.ngspice_cpu / times.vectors:.3g}", "")
    table.add_row("ngspice, analysis alone", f"{times.ngspice_analysis:.3g}", f"{times.ngspice_vmm:.3g}", "")
    if times.newton is not None:
        table.add_row("Newton's method", f"{times.newton:.3g}", f"{times.newton / times.vectors:.3g}", "")
    table.add_row("FCM, extraction of G_eq, once", f"{times.fcm_extraction:.3g}", "", "")
    table.add_row("FCM, kernel in a batch", "", f"{times.fcm_vmm:.3g}", f"{times.ratio:.2g}")
    table.add_row(
        "FCM, kernel and extraction over these vectors",
        "",
        f"{times.fcm_vmm_with_extraction:.3g}",
        f"{times.ratio_with_extraction:.2g}",
    )
    return table


def check_json(result: SpiceCheck) -> dict[str, Any]:
    """The tables' content, all columns."""
    times, newton = result.times, result.newton_errors
    per_column = {
        "worst_relative_error": result.errors.max(axis=0),
        "mean_relative_error": result.errors.mean(axis=0),
        "ngspice_mean_ampere": result.ngspice.mean(axis=0),
        "fcm_mean_ampere": result.fcm.mean(axis=0),
    }
    if newton is not None:
        per_column["newton_worst_relative_error"] = newton.max(axis=0)
        per_column["newton_mean_relative_error"] = newton.mean(axis=0)
    return {
        "array": result.array.describe(),
        "vectors": times.vectors,
        "tolerance": result.tolerance,
        "agrees": result.agrees,
        "worst_relative_error": result.worst,
        "mean_relative_error": float(result.errors.mean()),
        "newton_worst_relative_error": result.newton_worst,
        "columns": {name: values.tolist() for name, values in per_column.items()},
        "seconds": {
            "ngspice_wall": times.ngspice_wall,
            "ngspice_cpu": times.ngspice_cpu,
            "ngspice_analysis": times.ngspice_analysis,
            "ngspice_analysis_per_vector": times.ngspice_vmm,
            "fcm_extraction": times.fcm_extraction,
            "fcm_kernel_per_vector": times.fcm_vmm,
            "fcm_kernel_and_extraction_per_vector": times.fcm_vmm_with_extraction,
            "newton": times.newton,
        },
        "ratio": times.ratio,
        "ratio_with_extraction": times.ratio_with_extraction,
    }
