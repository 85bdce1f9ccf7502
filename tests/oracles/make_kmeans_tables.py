#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the tables that the tests hold K-Means against: scikit-learn's KMeans from a given start, in float64.

    python3 make_kmeans_tables.py OUTDIR

For each case an entry in OUTDIR/kmeans.json (parameters, start and final centres, inertia, iterations), the input
OUTDIR/<input>.tif (a band per date and feature, date by date) and OUTDIR/<case>_labels.tif: a band per date, at the
upper left pixel of each patch 1..k, 0 where the patch holds NaN or is not whole. The tests need none of this: the
tables are in the repository.
"""
import argparse
import json
import os
import sys

import numpy as np
import sklearn
from osgeo import gdal
from sklearn.cluster import KMeans

from make_tables import write_tif

DEFAULT_TOL = 1e-4


def scene(rng, n_dates, n_bands):
    """(T, B, 40, 50) float32: speckle over dark water, fields in stripes and a bright town."""
    rows, cols = np.mgrid[0:40, 0:50]
    level = np.where(cols < 15, 0.05, np.where((rows // 4) % 2 == 0, 0.2, 0.45))
    level = np.where((rows > 24) & (cols > 30), 1.5, level)
    levels = level * np.array([1.0, 0.4])[:n_bands, None, None]
    return (levels * rng.gamma(4.0, 0.25, (n_dates, n_bands, 40, 50))).astype(np.float32)


def swath(stack):
    """Nodata beyond a slanted rim, at some dates in one band only, and a hole."""
    rows, cols = np.mgrid[0:40, 0:50]
    stack = stack.copy()
    for date in range(0, len(stack), 2):
        stack[date, 0, rows + cols < 10 + 8 * date] = np.nan
    stack[1, 0, 20, 25] = np.nan
    return stack


def patches_of(stack, p):
    """All patches [T * (H - p + 1) * (W - p + 1)][B p p] in float64, in the order of date, row and column."""
    windows = np.lib.stride_tricks.sliding_window_view(stack.astype(np.float64), (p, p), axis=(2, 3))
    n_features = stack.shape[1] * p * p
    return np.ascontiguousarray(windows.transpose(0, 2, 3, 1, 4, 5)).reshape(-1, n_features)


def start_of(rng, points, k, n_far):
    """k patches drawn at random, the last n_far of them moved away from all others."""
    start = points[rng.choice(len(points), k, replace=False)].copy()
    start[k - n_far:] += 50 + np.arange(n_far)[:, None]
    return start


def relocated(points, start, n_far):
    """Indices of the points that scikit-learn moves to the n_far empty clusters of a start: the farthest first."""
    distances = ((points[:, None] - start[None]) ** 2).sum(axis=2)
    assert not np.isin(np.arange(len(start) - n_far, len(start)), distances.argmin(axis=1)).any()
    farthest = np.argsort(-distances.min(axis=1), kind="stable")
    nearest = np.sort(distances.min(axis=1))[::-1]
    assert (np.diff(nearest[:n_far + 1]) < -1e-3 * nearest[0]).all(), "the order must not be one of rounding"
    return farthest[:n_far]


def table(stack, p, k, rng, max_iter, tol, n_far=0):
    """-> entry of kmeans.json, labels (T, H, W)"""
    points = patches_of(stack, p)
    valid = np.isfinite(points).all(axis=1)
    start = start_of(rng, points[valid], k, n_far)
    fit = KMeans(k, init=start, n_init=1, max_iter=max_iter, tol=tol, algorithm="lloyd").fit(points[valid])

    n_dates, n_bands, n_rows, n_cols = stack.shape
    labels = np.zeros(len(points), np.uint16)
    labels[valid] = fit.labels_ + 1
    image = np.zeros((n_dates, n_rows, n_cols), np.uint16)
    image[:, :n_rows - p + 1, :n_cols - p + 1] = labels.reshape(n_dates, n_rows - p + 1, n_cols - p + 1)
    entry = {"patch": p, "k": k, "dates": n_dates, "bands": n_bands, "max_iter": max_iter, "tol": tol,
             "iterations": int(fit.n_iter_), "inertia": float(fit.inertia_), "patches": int(valid.sum()),
             "start": start.tolist(), "centers": fit.cluster_centers_.tolist()}
    if n_far > 0:
        moved = relocated(points[valid], start, n_far)
        assert np.allclose(fit.cluster_centers_[k - n_far:], points[valid][moved], rtol=1e-12, atol=1e-12)
        entry["relocated"] = np.flatnonzero(valid)[moved].tolist()
    return entry, image


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outdir")
    args = parser.parse_args()
    os.makedirs(args.outdir, exist_ok=True)
    rng = np.random.default_rng(20261125)
    inputs = {"kmeans_scene": scene(rng, 4, 1), "kmeans_two_bands": scene(rng, 3, 2)}
    inputs["kmeans_swath"] = swath(inputs["kmeans_scene"])
    cases = {  # name -> input, p, k, max_iter, tol, empty clusters
        "kmeans_p3_k4": ("kmeans_scene", 3, 4, 5, 0, 0),
        "kmeans_p7_k10": ("kmeans_scene", 7, 10, 5, 0, 0),
        "kmeans_p3_k10_two_bands": ("kmeans_two_bands", 3, 10, 5, 0, 0),
        "kmeans_p7_k4_swath": ("kmeans_swath", 7, 4, 5, 0, 0),
        "kmeans_p3_k4_default_tol": ("kmeans_swath", 3, 4, 300, DEFAULT_TOL, 0),
        "kmeans_p7_k6_two_empty": ("kmeans_swath", 7, 6, 1, 0, 2),
    }
    tables = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__,
                           "python": sys.version.split()[0]}, "cases": {}}
    for name, stack in inputs.items():
        write_tif(os.path.join(args.outdir, name + ".tif"), stack.reshape(-1, *stack.shape[2:]))
    for name, (source, p, k, max_iter, tol, n_far) in cases.items():
        entry, labels = table(inputs[source], p, k, rng, max_iter, tol, n_far)
        tables["cases"][name] = {"input": source, **entry}
        gdal.GetDriverByName("GTiff").Create(
            os.path.join(args.outdir, name + "_labels.tif"), 50, 40, len(labels), gdal.GDT_UInt16,
            ["COMPRESS=DEFLATE", "ZLEVEL=9", "INTERLEAVE=BAND"]).WriteArray(labels)
    with open(os.path.join(args.outdir, "kmeans.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(tables, separators=(",", ":")).replace("],[", "],\n[").replace("},", "},\n") + "\n")


if __name__ == "__main__":
    main()
