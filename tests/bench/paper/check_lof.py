#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the scores of a finished LOF run are those of scikit-learn, at random locations.

    tests/bench/paper/check_lof.py OUTDIR STACK [--locations 200] [--seed 0]

STACK is what the run read: an HDF5 file with the variable `data`, or a folder of GeoTIFFs. Exits with 1 if more scores than
--share are further off than 1e-4, relative, if anomalies are not those above the threshold, or if the mean of the drawn scores
is further from the run's than six sampling errors. A few scores differ where Float32 ties distances that differ in double.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
from osgeo import gdal
from sklearn.neighbors import LocalOutlierFactor

from stacks import Stack

FAR = 1e-4


def offset_of(stack, geotransform):
    """Column and row of the run's first pixel in the stack: it may have read a window."""
    x, dx, _, y, _, dy = stack.geotransform
    return round((geotransform[0] - x) / dx), round((geotransform[3] - y) / dy)


def draw(rng, n, grid, half):
    """Locations without repetition, row by row, so that neighbours share blocks of the shards."""
    cols, rows = grid["size"]
    width, height = cols - 2 * half, rows - 2 * half
    places = np.sort(rng.choice(width * height, min(n, width * height), replace=False))
    return [(int(place) // width + half, int(place) % width + half) for place in places]


def expected(pixels, neighbours):
    """LOF of the patches of a location; NaN at dates whose patch is not whole, and everywhere where fewer than 3 are."""
    patches = pixels.reshape(len(pixels), -1)
    valid = np.isfinite(patches).all(axis=1)
    scores = np.full(len(pixels), np.nan)
    if valid.sum() >= 3:
        model = LocalOutlierFactor(n_neighbors=min(neighbours, int(valid.sum()) - 1)).fit(patches[valid])
        scores[valid] = -model.negative_outlier_factor_
    return scores


def read_at(path, places):
    dataset = gdal.Open(str(path))
    return np.array([dataset.ReadAsArray(col, row, 1, 1).ravel() for row, col in places])


def check_scores(ours, theirs, share):
    """Whether scores agree; prints how far they are off."""
    if not np.array_equal(np.isnan(ours), np.isnan(theirs)):
        print(f"valid scores: {np.isfinite(ours).sum()}, expected {np.isfinite(theirs).sum()}")
        return False
    relative = np.abs(ours - theirs)[np.isfinite(theirs)] / theirs[np.isfinite(theirs)]
    far = (relative > FAR).mean()
    print(f"scores: {relative.size}, largest relative difference {relative.max():.3g}, median {np.median(relative):.3g}; "
          f"{(relative > FAR).sum()} further off than {FAR} (share {far:.3g}, allowed {share})")
    return far <= share


def check_anomalies(ours, theirs, anomalies, threshold):
    """Whether anomalies are the scores above the threshold. Those of scikit-learn may differ where a score is next to it."""
    valid = np.isfinite(ours)
    wrong = int(((ours > threshold) != (anomalies == 1))[valid].sum())
    other = int(((theirs > threshold) != (anomalies == 1))[valid].sum())
    print(f"anomalies: {int((anomalies[valid] == 1).sum())} above {threshold:.6f}; {wrong} against the run's scores, "
          f"{other} against scikit-learn's")
    return wrong == 0


def check_moments(scores, summary, rng):
    """Mean and std of the drawn scores beside the run's. Scores of a location depend on each other: locations are resampled."""
    resamples = [scores[rng.integers(0, len(scores), len(scores))] for _ in range(200)]
    distances = {}
    for name, moment in (("mean", np.nanmean), ("std", np.nanstd)):
        error = np.std([moment(sample) for sample in resamples])
        distances[name] = abs(moment(scores) - summary[name]) / error
        print(f"{name}: {moment(scores):.6f} of the drawn scores, {summary[name]:.6f} of the run; sampling error {error:.2g}, "
              f"so {distances[name]:.1f} of these apart")
    # The std hangs on a few large scores, which few draws have: it is shown, not judged.
    return distances["mean"] < 6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outdir", type=pathlib.Path)
    parser.add_argument("stack", type=pathlib.Path)
    parser.add_argument("--locations", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=1e-4, help="of scores that may be further off than 1e-4 (default: 1e-4)")
    arguments = parser.parse_args()
    summary = json.loads((arguments.outdir / "summary.json").read_text())
    run = json.loads((arguments.outdir / "run.json").read_text())
    patch, neighbours = summary["options"]["patch"], summary["options"]["neighbors"]
    stack = Stack(arguments.stack, summary["options"]["scale"])
    rng = np.random.default_rng(arguments.seed)
    places = draw(rng, arguments.locations, run["grid"], patch // 2)
    left, top = offset_of(stack, run["grid"]["geotransform"])
    windows = [(top + row - patch // 2, left + col - patch // 2, patch, patch) for row, col in places]
    theirs = np.array([expected(pixels, neighbours) for pixels in stack.windows(windows)])
    ours = read_at(arguments.outdir / "lof.vrt", places).astype(np.float64)
    anomalies = read_at(arguments.outdir / "anomaly.vrt", places)
    print(f"{len(places)} locations, patch {patch}, k = {neighbours}, {summary['options']['scale']}")
    checks = [check_scores(ours, theirs, arguments.share), check_anomalies(ours, theirs, anomalies, summary["threshold"]),
              check_moments(ours, summary, rng)]
    return 0 if all(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
