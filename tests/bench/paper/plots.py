# SPDX-License-Identifier: Apache-2.0
"""Results as figures, each as PNG and SVG."""
import csv
from fractions import Fraction

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import BoundaryNorm  # noqa: E402

from tables import MB, TITLES, order, stage_seconds  # noqa: E402

COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#bbbbbb"]


def save(figure, out, name):
    figure.tight_layout()
    for suffix in ("png", "svg"):
        figure.savefig(out / f"{name}.{suffix}", dpi=200)
    plt.close(figure)


def configurations(runs):
    return sorted({(run["input"], run["ranks"], run["threads"]) for run in runs})


def name_of(configuration):
    kind, ranks, threads = configuration
    return f"{'HDF5' if kind == 'hdf5' else 'GeoTIFF'}, {ranks} x {threads}"


def bars(runs):
    """Yields of each run the place of its bar and the bar's width: a group for a fraction, a bar in it for a configuration."""
    fractions = sorted({Fraction(run["fraction"]) for run in runs})
    ways = configurations(runs)
    width = 0.8 / len(ways)
    for run in sorted(runs, key=order):
        way = ways.index((run["input"], run["ranks"], run["threads"]))
        yield run, fractions.index(Fraction(run["fraction"])) + (way - (len(ways) - 1) / 2) * width, width


def label_fractions(axes, runs):
    fractions = sorted({Fraction(run["fraction"]) for run in runs})
    axes.set_xticks(range(len(fractions)), [str(fraction) for fraction in fractions])
    axes.set_xlabel("part of the width")


def plot_seconds(job, runs, out):
    ways = configurations(runs)
    across = -(-len(ways) // 2) if len(ways) > 3 else len(ways)
    down = -(-len(ways) // across)
    figure, panels = plt.subplots(down, across, figsize=(1.5 + 3.2 * across, 3.4 * down), sharey=True, squeeze=False)
    for axes in panels.flat[len(ways):]:
        axes.set_axis_off()
    for axes, way in zip(panels.flat, ways):
        mine = [run for run in runs if (run["input"], run["ranks"], run["threads"]) == way]
        for run, x, width in bars(mine):
            below = 0
            for colour, (stage, seconds) in zip(COLOURS, stage_seconds(run).items()):
                axes.bar(x, seconds, width, below, color=colour, label=stage)
                below += seconds
            axes.plot([x - width / 2, x + width / 2], [run["wall_seconds"]] * 2, color="black", label="whole run")
        label_fractions(axes, mine)
        axes.set_title(name_of(way), fontsize=10)
    for line in panels:
        line[0].set_ylabel("seconds")
    handles = dict(zip(*reversed(panels[0][0].get_legend_handles_labels())))
    panels[0][0].legend(handles.values(), handles.keys(), fontsize=8)
    figure.suptitle(f"{TITLES[job]}: seconds of each stage (ranks x threads)", fontsize=11)
    save(figure, out, f"seconds_{job}")


def plot_memory(results, out):
    jobs = [job for job in ("lof", "kmeans") if any(run["job"] == job for run in results["runs"])]
    figure, panels = plt.subplots(1, len(jobs), figsize=(4.5 * len(jobs), 3.6), squeeze=False)
    for axes, job in zip(panels[0], jobs):
        runs = [run for run in results["runs"] if run["job"] == job]
        ways = configurations(runs)
        for run, x, width in bars(runs):
            way = (run["input"], run["ranks"], run["threads"])
            axes.bar(x, max(run["peak_bytes"]) / MB, width, color=plt.get_cmap("tab20")(ways.index(way)), label=name_of(way))
        label_fractions(axes, runs)
        axes.set_title(TITLES[job], fontsize=10)
        axes.set_ylabel("most memory of a rank, MB")
        handles = dict(zip(*reversed(axes.get_legend_handles_labels())))
        axes.legend(handles.values(), handles.keys(), fontsize=7, ncol=2)
        axes.set_ylim(top=1.35 * axes.get_ylim()[1])
    save(figure, out, "memory")


def largest(products, job, file):
    """The file of the largest fraction that was run."""
    found = [(Fraction(path.parent.name.split("_")[1].replace("-", "/")), path) for path in products.glob(f"{job}_*/{file}")]
    return max(found)[1] if found else None


def plot_section(path, out, name, title, labels):
    kept = np.load(path)
    pixels, (col, row, cols, rows) = kept["pixels"].astype(float), kept["window"]
    pixels[pixels == (0 if labels else 65535)] = np.nan
    figure, axes = plt.subplots(figsize=(5.6, 4.6))
    if labels:
        k = max(1, int(np.nanmax(pixels, initial=1)))
        colours = {"cmap": plt.get_cmap("viridis", k), "norm": BoundaryNorm(np.arange(0.5, k + 1), k)}
    else:
        colours = {"cmap": "inferno", "vmin": 0, "vmax": max(1, np.nanquantile(pixels, 0.999))}
    image = axes.imshow(pixels, extent=(col, col + cols, row + rows, row), interpolation="nearest", **colours)
    bar = figure.colorbar(image, shrink=0.8, label="cluster, dark to bright" if labels else "anomalous dates")
    if labels:
        bar.set_ticks(range(1, k + 1))
        bar.minorticks_off()
    axes.set(xlabel="column", ylabel="row", title=f"{title} {kept['date']}".strip())
    save(figure, out, name)


def plot_dates(path, out):
    with open(path) as lines:
        rows = list(csv.DictReader(lines))
    figure, axes = plt.subplots(figsize=(8, 3.4))
    dates = np.array([row["date"] for row in rows], dtype="datetime64[D]")
    axes.bar(dates, [100 * int(row["anomalies"]) / max(1, int(row["valid"])) for row in rows], width=4, color=COLOURS[0])
    axes.set(xlabel="date", ylabel="anomalous locations, %", title="Anomalies of each date")
    save(figure, out, "anomalies_per_date")


def plot_elbow(path, out):
    with open(path) as lines:
        rows = list(csv.DictReader(lines))
    figure, axes = plt.subplots(figsize=(5, 3.6))
    axes.plot([int(row["k"]) for row in rows], [float(row["energy"]) for row in rows], "o-", color=COLOURS[0])
    for row in rows:
        if row["knee"] == "1":
            axes.axvline(int(row["k"]), color=COLOURS[1], linestyle="--", label=f"knee at {row['k']}")
            axes.legend()
    axes.set(xlabel="centres", ylabel="energy", title="Energy over the number of centres")
    save(figure, out, "elbow")


def plot_all(results, out):
    products = out / "products"
    for job in ("lof", "kmeans"):
        runs = [run for run in results["runs"] if run["job"] == job]
        if runs:
            plot_seconds(job, runs, out)
    if any(run["job"] != "elbow" for run in results["runs"]):
        plot_memory(results, out)
    for job, file, plot in (
            ("lof", "section.npz", lambda path: plot_section(path, out, "anomalies_section", "Anomalies per location", False)),
            ("lof", "per_date.csv", lambda path: plot_dates(path, out)),
            ("kmeans", "section.npz", lambda path: plot_section(path, out, "labels_section", "Labels", True)),
            ("elbow", "elbow.csv", lambda path: plot_elbow(path, out))):
        path = largest(products, job, file)
        if path:
            plot(path)
