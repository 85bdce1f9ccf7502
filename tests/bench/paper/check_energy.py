#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The energy of rastertide_kmeans beside that of Heat's batch-parallel K-Means and of scikit-learn, on a part of a stack.

    tests/bench/paper/check_energy.py --bin build/release/bin STACK [--dates 10] [--window COL ROW COLS ROWS] [--parts 8]

Heat (Alguliyev et al. 2021) clusters the part of each process by itself, then the centres of all parts: emulated here with
scikit-learn, with and without the sizes of the clusters as weights. All energies are sums in double precision over the same
patches, from the centres alone. Exits with 1 if the median over the seeds of ours is above that of one of Heat's.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.cluster import KMeans

from stacks import Stack


def patches_of(pixels, patch):
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (patch, patch), axis=(1, 2))
    patches = windows.reshape(-1, patch * patch)
    return patches[np.isfinite(patches).all(axis=1)]


def energy_of(patches, centers):
    """Sum of the squared distances to the nearest centre. Pieces of the patches keep the differences small."""
    return sum(min_distances(patches[i:i + 20000], centers).sum() for i in range(0, len(patches), 20000))


def min_distances(patches, centers):
    return np.min([((patches - center) ** 2).sum(axis=1) for center in centers], axis=0)


def fit(patches, k, seed, weights=None):
    return KMeans(k, n_init=1, random_state=seed, algorithm="lloyd").fit(patches, sample_weight=weights)


def heat(patches, k, seed, parts, weighted):
    fits = [fit(part, k, seed + i) for i, part in enumerate(np.array_split(patches, parts))]
    centers = np.concatenate([model.cluster_centers_ for model in fits])
    sizes = np.concatenate([np.bincount(model.labels_, minlength=k) for model in fits])
    return fit(centers, k, seed, sizes if weighted else None).cluster_centers_


def ours(command, k, seed):
    """Centres and the energy that the run itself says."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        subprocess.run([*command, "-k", str(k), "-seed", str(seed), "-o", str(out)], check=True)
        model = json.loads((out / "centers.json").read_text())
        return np.array(model["centers"]).reshape(k, -1), model["energy"]


def command_of(arguments, stack):
    window = stack.projwin(*rows_first(arguments.window))
    dates = []
    inputs = [str(file) for file in stack.files]
    if stack.hdf5:
        dates = [word for date in range(arguments.dates) for word in ("-b", str(date + 1))]
    else:
        inputs = inputs[:arguments.dates]
    return [str(arguments.bin / "rastertide_kmeans"), "-q", "-scale", arguments.scale, "-patch", str(arguments.patch),
            *dates, *window, *inputs]


def rows_first(window):
    col, row, cols, rows = window
    return row, col, rows, cols


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", type=pathlib.Path)
    parser.add_argument("--bin", required=True, type=pathlib.Path, help="folder of the utilities")
    parser.add_argument("--dates", type=int, default=10, help="the first dates (default: 10)")
    parser.add_argument("--window", type=int, nargs=4, metavar=("COL", "ROW", "COLS", "ROWS"),
                        help="default: 150 x 150 in the middle")
    parser.add_argument("--patch", type=int, default=7)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--parts", type=int, default=8, help="processes of Heat (default: 8)")
    parser.add_argument("--seeds", type=int, default=3, help="fits of each (default: 3)")
    parser.add_argument("--scale", choices=["linear", "db"], default="db")
    arguments = parser.parse_args()
    stack = Stack(arguments.stack, arguments.scale)
    size = min(150, stack.cols, stack.rows)
    arguments.window = arguments.window or [(stack.cols - size) // 2, (stack.rows - size) // 2, size, size]
    arguments.dates = min(arguments.dates, stack.n_dates)
    patches = patches_of(stack.windows([rows_first(arguments.window)], arguments.dates)[0], arguments.patch)
    command = command_of(arguments, stack)
    k, parts = arguments.k, arguments.parts
    ways = {
        "rastertide_kmeans": lambda seed: ours(command, k, seed)[0],
        "rastertide_kmeans -algorithm batch-parallel":
            lambda seed: ours([*command, "-algorithm", "batch-parallel", "-parts", str(parts)], k, seed)[0],
        f"Heat's merge, {parts} parts": lambda seed: heat(patches, k, seed, parts, False),
        f"Heat's merge, {parts} parts, weighted": lambda seed: heat(patches, k, seed, parts, True),
        "scikit-learn, lloyd, k-means++": lambda seed: fit(patches, k, seed).cluster_centers_,
    }
    print(f"{len(patches)} patches of {arguments.patch} x {arguments.patch}, K = {k}, {arguments.scale}, {arguments.seeds} seeds")
    print()
    print("| centres of | energy, median | least | most | beside the first |\n|---|---|---|---|---|")
    medians = {}
    for name, way in ways.items():
        energies = [energy_of(patches, way(seed)) for seed in range(arguments.seeds)]
        medians[name] = statistics.median(energies)
        print(f"| {name} | {medians[name]:.7g} | {min(energies):.7g} | {max(energies):.7g} | "
              f"{100 * (medians[name] / medians['rastertide_kmeans'] - 1):+.2f}% |", flush=True)
    centers, said = ours(command, k, 0)
    print(f"\nrastertide_kmeans says {said:.10g} of its centres at seed 0, the sum over all patches is "
          f"{energy_of(patches, centers):.10g}")
    heats = [value for name, value in medians.items() if name.startswith("Heat")]
    return 1 if medians["rastertide_kmeans"] > min(heats) else 0


if __name__ == "__main__":
    sys.exit(main())
