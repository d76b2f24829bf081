"""Pictures of one array, as PNG files."""

import textwrap
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator, MultipleLocator

from .array_study import ArrayStudy, error_histogram

_DPI = 200
_FONT = 10
_ENDS = {"BOTH_ENDS": "both ends", "ALTERNATING_ENDS": "alternating ends"}
_VIRIDIS_BLUE = "#31688e"


def draw_ir_drop(study: ArrayStudy, path: Path) -> None:
    """A map of the share of the voltage that every cell does not get."""
    rows, cols = study.ir_drop.shape
    figure, axes = _figure(5.9, 5.2)
    image = axes.imshow(
        100 * study.ir_drop,
        cmap="viridis",
        interpolation="nearest",
        aspect="equal" if 1 / 3 <= rows / cols <= 3 else "auto",
        extent=(-0.5, cols - 0.5, rows - 0.5, -0.5),
    )
    bar = figure.colorbar(image, ax=axes, pad=0.02)
    bar.set_label(f"voltage that a cell does not get, % of {_volts(study)}")
    axes.set_xlabel(f"column (bit line), sensed at {_ENDS.get(study.array.sensed, 'the bottom')}")
    axes.set_ylabel(f"row (word line), driven at {_ENDS.get(study.array.driven, 'the left')}")
    _whole_ticks(axes.xaxis, cols)
    _whole_ticks(axes.yaxis, rows)
    _frame_used(study, axes)
    _title(axes, "IR drop", study)
    _save(figure, path)


def draw_conductance(study: ArrayStudy, path: Path) -> None:
    """Effective over programmed conductance of every cell in use; colour says how far it is from driver and sense."""
    away = study.array.segments_away()
    programmed = 1e6 * study.array.g[study.in_use].ravel()
    effective = 1e6 * study.g_eq[study.in_use].ravel()
    figure, axes = _figure(6.4, 5.2)
    top = 1.04 * max(programmed.max(), effective.max(), 1e-6)
    axes.plot([0, top], [0, top], color="0.45", linewidth=1, label="no change", zorder=1)
    points = axes.scatter(
        programmed, effective, c=away[study.in_use].ravel(), cmap="viridis", s=9, alpha=0.75, linewidths=0, zorder=2
    )
    points.set_clim(0, max(away.max(), 1))
    bar = figure.colorbar(points, ax=axes, pad=0.02)
    bar.set_label("wire segments to nearest driver and sense amplifier")
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    axes.set_xlabel("programmed conductance $g$, µS")
    axes.set_ylabel(r"effective conductance $G_\mathrm{eq}$, µS")
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="upper left", frameon=False)
    _title(axes, "Effective conductance", study)
    _save(figure, path)


def draw_column_error(study: ArrayStudy, path: Path) -> None:
    """Histograms of the columns' relative errors: one per column as a strip of colour, and all of them together."""
    edges, counts = error_histogram(study)
    edges = 100 * edges
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(8.0, 4.8), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    strips, total = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    shown = np.ma.masked_equal(share.T, 0)
    norm = LogNorm(min(float(shown.min()), float(shown.max()) / 10), float(shown.max())) if shown.count() else None
    mesh = strips.pcolormesh(np.arange(len(counts) + 1) - 0.5, edges, shown, cmap="viridis_r", norm=norm)
    bar = figure.colorbar(mesh, ax=strips, pad=0.02)
    bar.set_label("share of the column's vectors, %")
    strips.set_xlabel("column (bit line)")
    strips.set_ylabel("relative error of the current, %")
    _whole_ticks(strips.xaxis, len(counts))
    total.stairs(
        100 * counts.sum(axis=0) / max(counts.sum(), 1), edges, orientation="horizontal", fill=True, color="#31688e"
    )
    total.set_xlabel("share of all, %")
    total.set_xlim(left=0)
    for axes in (strips, total):
        axes.spines[["top", "right"]].set_visible(False)
    total.grid(axis="x", color="0.9", linewidth=0.6)
    total.set_axisbelow(True)
    _title(strips, f"Column errors over {len(study.errors)} input vector{'s' * (len(study.errors) > 1)}", study)
    _save(figure, path)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)  # draws without a display, and without pyplot's global state
    return figure, figure.subplots()


def _title(axes: Axes, what: str, study: ArrayStudy) -> None:
    array = study.array
    hardware = array.hardware
    segments = [
        "segments of their own" if listed else f"{ohm:g}"
        for listed, ohm in (
            (hardware.r_wordline_segment_ohm, hardware.r_wordline_ohm),
            (hardware.r_bitline_segment_ohm, hardware.r_bitline_ohm),
        )
    ]
    small = (
        f"{textwrap.shorten(array.name, 90, placeholder=' …')}\n"
        f"{array.g.shape[0]} x {array.g.shape[1]} cells; source {hardware.r_source_ohm:g}, "
        f"sink {hardware.r_sink_ohm:g}, word line {segments[0]}, bit line {segments[1]} Ω"
    )
    axes.set_title(what, loc="left", fontsize=_FONT + 2, pad=28)
    text = axes.annotate(
        small, (0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points", fontsize=_FONT - 3
    )
    text.set(color="0.35", va="bottom", linespacing=1.4)
    text.set_in_layout(False)  # stands in the title's padding, and may reach beyond the axes


def _whole_ticks(axis: Axis, count: int) -> None:
    if count == 1:
        axis.set_ticks([0])
    elif count % 8 == 0:  # sides of arrays are powers of two
        axis.set_major_locator(MultipleLocator(count // 8))
    else:
        axis.set_major_locator(MaxNLocator(integer=True, nbins=9))


def _volts(study: ArrayStudy) -> str:
    return f"{np.abs(study.volts).max():g} V"


def _frame_used(study: ArrayStudy, axes: Axes) -> None:
    """A line around the cells in use, where there are others."""
    rows, cols = study.ir_drop.shape
    used_rows, used_cols = study.array.used_rows, study.array.used_cols
    if (used_rows, used_cols) == (rows, cols):
        return
    x, y = used_cols - 0.5, used_rows - 0.5
    (line,) = axes.plot([x, x, -0.5], [-0.5, y, y], color="white", linewidth=1.2)
    text = axes.annotate("in use", (x, y), xytext=(-4, 4), textcoords="offset points", color="white", fontsize=8)
    text.set(ha="right", va="bottom")
    for mark in (line, text):  # legible on bright cells too
        mark.set_path_effects([Stroke(linewidth=2.4, foreground="black"), Normal()])


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, format="png", dpi=_DPI)
