"""Draws the plots: SVG files that change only when the figures do."""

import pathlib

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({
    "svg.hashsalt": "fovea",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
})

from matplotlib import pyplot as plt  # noqa: E402 - its settings come first
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator  # noqa: E402

import figures  # noqa: E402
from coordinator import PEERS  # noqa: E402

# Distinguishable without colours too (Okabe and Ito's palette; markers).
STYLES = {
    "fovea": ("#0072b2", "o", "-"),
    "fovea-fused": ("#56b4e9", "o", "--"),
    "torch": ("#d55e00", "s", "-"),
    "onnxruntime": ("#009e73", "^", "-"),
    "openvino": ("#9467bd", "D", "-"),
}
BARS, PREFILL, DECODE = "peers", "peers-prefill", "peers-decode"


def save(figure: plt.Figure, path: pathlib.Path) -> None:
    figure.savefig(path, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)


def caption(figure: plt.Figure, result: dict) -> None:
    environment = result["environment"]
    threads = "one thread" if environment["threads"] == 1 else f"{environment['threads']} threads"
    figure.text(0.5, -0.02, f"{environment['cpu']}, {threads}, {environment['date']}", ha="center", va="top", fontsize=8,
                color="#555555")


def draw_sweep(axes: plt.Axes, sweep: dict, value) -> None:
    rows = sweep["rows"]
    for name, words in PEERS:
        points = [(row["shape"]["len_kv"], value(row, name)) for row in rows]
        points = [(length, figure) for length, figure in points if figure is not None]
        colour, marker, line = STYLES[name]
        if points:
            axes.plot(*zip(*points, strict=True), color=colour, marker=marker, linestyle=line, markersize=4, label=words,
                      linewidth=2 if name == "fovea" else 1.4)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator([row["shape"]["len_kv"] for row in rows]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda length, _: f"{length:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="x", labelsize=8)
    axes.set_title(sweep["words"], fontsize=10)


def legend(figure: plt.Figure, panels) -> None:
    """One for all panels."""
    found = {}
    for axes in panels:
        handles, labels = axes.get_legend_handles_labels()
        found.update(zip(labels, handles, strict=True))
    ordered = [words for _, words in PEERS if words in found]
    figure.legend([found[words] for words in ordered], ordered, loc="lower center", bbox_to_anchor=(0.5, 1.0),
                  ncols=len(ordered))


def prefill(result: dict, path: pathlib.Path) -> None:
    sweeps = {sweep["name"]: sweep for sweep in result["sweeps"]}
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, name in zip(panels, ("dense", "causal"), strict=True):
        draw_sweep(axes, sweeps[name], figures.share)
        axes.set_xlabel("sequence length (tokens)")
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel("share of the f32 FMA peak (%)")
    legend(figure, panels)
    caption(figure, result)
    save(figure, path)


def decoding(result: dict, path: pathlib.Path) -> None:
    sweeps = {sweep["name"]: sweep for sweep in result["sweeps"]}
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    for axes, name in zip(panels, ("decode-f16", "decode-f32"), strict=True):
        draw_sweep(axes, sweeps[name], figures.milliseconds)
        axes.set_xlabel("key length (tokens)")
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda time, _: f"{time:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    panels[0].set_ylabel("time of a decoding step (ms)")
    legend(figure, panels)
    caption(figure, result)
    save(figure, path)


def draw_bars(axes: plt.Axes, rows: list[dict]) -> None:
    height = 0.84 / len(PEERS)
    for place, (name, words) in enumerate(PEERS):
        shown = [(i, figures.share(row, name)) for i, row in enumerate(rows)]
        shown = [(i, share) for i, share in shown if share is not None]
        # A colour that has no bar here still belongs into the legend.
        positions = [i + (place - (len(PEERS) - 1) / 2) * height for i, _ in shown]
        axes.barh(positions, [share for _, share in shown], height * 0.92, color=STYLES[name][0], label=words)
    axes.set_yticks(range(len(rows)), [row["shape"]["words"] for row in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(False, axis="y")


def bars(result: dict, path: pathlib.Path) -> None:
    prefill_rows = [row for row in result["rows"] if not figures.decode(row)]
    decode_rows = [row for row in result["rows"] if figures.decode(row)]
    counts = (len(prefill_rows), len(decode_rows))
    figure, panels = plt.subplots(2, 1, figsize=(9, 1.6 + 0.46 * sum(counts)), height_ratios=counts,
                                  layout="constrained")
    draw_bars(panels[0], prefill_rows)
    panels[0].set_xlabel("prefill: share of the f32 FMA peak (%)")
    draw_bars(panels[1], decode_rows)
    panels[1].set_xlabel("decoding: share of the read bandwidth (%)")
    legend(figure, panels)
    caption(figure, result)
    save(figure, path)


def draw(root: pathlib.Path, result: dict) -> dict[str, str]:
    """Writes all plots. Returns their names with a description each, the README's first."""
    folder = root / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    names = {
        PREFILL: "Share of the FMA peak over sequence length, fovea and its peers",
        DECODE: "Time of a decoding step over key length, fovea and its peers",
        BARS: "Share of the machine's limit for typical problems, fovea and its peers",
    }
    prefill(result, folder / f"{PREFILL}.svg")
    decoding(result, folder / f"{DECODE}.svg")
    bars(result, folder / f"{BARS}.svg")
    return names
