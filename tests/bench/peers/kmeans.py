#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole fits of K-Means, K = 10, over 5.5 million patches of 7 x 7, beside scikit-learn, oneDAL, faiss and Heat on one core.

    python3 tests/bench/peers/kmeans.py --bin build/release/bin --work FOLDER > kmeans.md

rastertide_kmeans is timed from an HDF5 file to labels on disk, the peers from patches unfolded beforehand, Float32, to
labels. Each starts as it does by default, one start, to its own `tol` of 1e-4; faiss has none and does 25 iterations, over
all points. Energies are sums in double precision over each one's centres. Needs h5py and numpy; of the peers what is there.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

from alternate import in_turn, module, spread

import numpy as np  # noqa: E402

from lof import pixels_of  # noqa: E402

PATCH, CLUSTERS, TOL = 7, 10, 1e-4


def stack(arguments):
    cols, rows = arguments.size
    path = arguments.work / f"peers_{arguments.dates}_{cols}_{rows}.h5"
    if not path.exists():
        subprocess.run([arguments.bin / "rastertide_simulate", "-q", "-n_dates", str(arguments.dates), "-outsize", str(cols),
                        str(rows), "-o", path], check=True)
    return path


def patches_of(pixels):
    """[patch, pixel], date by date: 49 times the memory of the stack."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (PATCH, PATCH), axis=(1, 2))
    return windows.reshape(-1, PATCH * PATCH)


def energy(patches, centers):
    """Sum of squared distances to the nearest centre, in double precision."""
    total = 0.0
    norms = (centers**2).sum(1)
    for first in range(0, len(patches), 100_000):
        x = patches[first:first + 100_000].astype(np.float64)
        total += ((x**2).sum(1) + (norms - 2 * x @ centers.T).min(1)).sum()
    return total


class Fits:
    """One fit each: (seconds, iterations, centres)."""

    def __init__(self, arguments, path, patches):
        self.arguments, self.path, self.patches = arguments, path, patches
        self.seed = 0

    def rastertide(self):
        out = self.arguments.work / "peers_kmeans"
        start = time.perf_counter()
        subprocess.run([self.arguments.bin / "rastertide_kmeans", "-q", "-j", "1", "-k", str(CLUSTERS), "-seed", str(self.seed),
                        "-overwrite", "-o", out, self.path], check=True)
        seconds = time.perf_counter() - start
        model = json.loads((out / "centers.json").read_text())
        summary = json.loads((out / "summary.json").read_text())
        centers = np.asarray(model["centers"], dtype=np.float64).reshape(CLUSTERS, -1)
        return seconds, summary["iterations"], centers

    def sklearn(self, KMeans):
        start = time.perf_counter()
        fit = KMeans(CLUSTERS, n_init=1, tol=TOL, random_state=self.seed, algorithm="lloyd").fit(self.patches)
        return time.perf_counter() - start, fit.n_iter_, np.asarray(fit.cluster_centers_, dtype=np.float64)

    def faiss(self, faiss):
        start = time.perf_counter()
        fit = faiss.Kmeans(PATCH * PATCH, CLUSTERS, niter=25, seed=self.seed, max_points_per_centroid=len(self.patches))
        fit.train(self.patches)
        fit.index.search(self.patches, 1)
        return time.perf_counter() - start, 25, fit.centroids.astype(np.float64)

    def heat(self, heat):
        data = heat.array(self.patches, split=0)
        start = time.perf_counter()
        fit = heat.cluster.BatchParallelKMeans(n_clusters=CLUSTERS, init="k-means++", tol=TOL, random_state=self.seed)
        fit.fit(data)
        fit.predict(data)
        return time.perf_counter() - start, np.sum(fit.n_iter_), fit.cluster_centers_.numpy().astype(np.float64)


def cases_of(fits):
    cases = {"rastertide_kmeans": fits.rastertide}
    if (cluster := module("sklearn.cluster")) is not None:
        cases[f"scikit-learn {module('sklearn').__version__} `lloyd`"] = lambda: fits.sklearn(cluster.KMeans)
    if (onedal := module("sklearnex.cluster")) is not None:
        version = module("importlib.metadata").version("scikit-learn-intelex")
        cases[f"oneDAL, scikit-learn-intelex {version}"] = lambda: fits.sklearn(onedal.KMeans)
    if (faiss := module("faiss")) is not None:
        faiss.omp_set_num_threads(1)
        cases[f"faiss {faiss.__version__}, 25 iterations"] = lambda: fits.faiss(faiss)
    if (heat := module("heat")) is not None:
        module("torch").set_num_threads(1)
        cases[f"Heat {heat.__version__} `BatchParallelKMeans`, one process"] = lambda: fits.heat(heat)
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--dates", type=int, default=46)
    parser.add_argument("--size", type=int, nargs=2, default=[350, 356], metavar=("COLS", "ROWS"))
    parser.add_argument("--seeds", type=int, default=3, help="fits of each, in turn (default: 3)")
    parser.add_argument("--without", nargs="+", default=[], metavar="WORD", help="peers to leave out: Heat takes minutes a fit")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    path = stack(arguments)
    patches = patches_of(pixels_of(path))
    fits = Fits(arguments, path, patches)
    cases = {name: case for name, case in cases_of(fits).items()
             if not any(word.lower() in name.lower() for word in arguments.without)}

    results = {name: [] for name in cases}
    for fits.seed in range(arguments.seeds):
        for name, values in in_turn(cases, 1).items():
            results[name] += values
    ours = results["rastertide_kmeans"]
    base = statistics.median(seconds for seconds, _, _ in ours)
    least = min(energy(patches, centers) for _, _, centers in ours)
    print(f"| {len(patches):,} patches of {PATCH} x {PATCH}, K = {CLUSTERS} | s | iterations | M patches/s an iteration | times ours "
          "| energy, beside our least |")
    print("|---|---|---|---|---|---|")
    for name, values in results.items():
        if not values:
            continue
        seconds, iterations, centers = zip(*values)
        rates = [len(patches) * n / s / 1e6 for s, n in zip(seconds, iterations)]
        above = [energy(patches, c) / least - 1 for c in centers]
        print(f"| {name} | {spread(seconds)} | {', '.join(str(int(n)) for n in iterations)} | {spread(rates, 1)} | "
              f"{statistics.median(seconds) / base:.1f} | {', '.join(f'{100 * x:+.2f}%' for x in above)} |")


main()
