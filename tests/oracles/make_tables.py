#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the tables that the tests hold Rastertide against: LOF by scikit-learn in float64.

    python3 make_tables.py OUTDIR [--data DIR_OF_REAL_STACKS]

For each case OUTDIR/<case>.tif (the input, a band per date and feature, date by date; real stacks are not copied),
OUTDIR/<case>_lof.tif (a band per date) and an entry in OUTDIR/cases.json (parameters, mean, std, threshold, anomalies,
versions). The tests need none of this: the tables are in the repository. K-Means: make_kmeans_tables.py.
"""
import argparse
import glob
import json
import os
import sys

import numpy as np
import sklearn
from osgeo import gdal
from sklearn.neighbors import LocalOutlierFactor

gdal.UseExceptions()
SIGMA = 2.0


def lof_at(points, k):
    """LOF of the rows of `points`; NaN where a row holds NaN. Rules of docs/reference/lof.md."""
    scores = np.full(len(points), np.nan)
    valid = np.isfinite(points).all(axis=1)
    n = int(valid.sum())
    if n < 3:
        return scores
    estimator = LocalOutlierFactor(n_neighbors=min(k, n - 1), algorithm="brute")
    scores[valid] = -estimator.fit(points[valid]).negative_outlier_factor_
    return scores


def lof_stack(stack, p, k):
    """stack (T, B, H, W) float64 -> scores (T, H, W), NaN at the rim."""
    n_dates, n_bands, n_rows, n_cols = stack.shape
    half = p // 2
    scores = np.full((n_dates, n_rows, n_cols), np.nan)
    for row in range(half, n_rows - half):
        for col in range(half, n_cols - half):
            patches = stack[:, :, row - half:row + half + 1, col - half:col + half + 1]
            scores[:, row, col] = lof_at(patches.reshape(n_dates, n_bands * p * p), k)
    return scores


def speckle(rng, n_dates, n_bands, n_rows, n_cols):
    background = np.exp(rng.normal(-2, 0.5, (1, n_bands, n_rows, n_cols)))
    stack = background * rng.gamma(4.0, 0.25, (n_dates, n_bands, n_rows, n_cols))
    stack[n_dates // 3, :, n_rows // 2:n_rows // 2 + 2, n_cols // 3:n_cols // 3 + 2] += 2.0
    return stack.astype(np.float32)


def synthetic_cases():
    """name -> (stack (T, B, H, W) float32, p, k)"""
    rng = np.random.default_rng(20261124)
    cases = {
        "speckle": (speckle(rng, 40, 1, 20, 18), 7, 10),
        "pixels_two_bands": (speckle(rng, 30, 2, 9, 10), 1, 5),
        "patch3_two_bands": (speckle(rng, 24, 2, 12, 11), 3, 8),
        "just_above_k": (speckle(rng, 11, 1, 12, 12), 5, 10),
        "not_a_multiple_of_lanes": (speckle(rng, 37, 1, 10, 10), 3, 10),
        "many_neighbors": (speckle(rng, 50, 1, 9, 9), 3, 20),
        "large_patch": (speckle(rng, 20, 1, 18, 17), 15, 10),
    }
    twins = np.repeat(speckle(rng, 15, 1, 10, 10), 2, axis=0)
    cases["duplicates"] = (twins, 3, 7)
    constant = speckle(rng, 25, 1, 14, 14)
    constant[:, :, :9, :9] = 0.125
    cases["constant_area"] = (constant, 5, 10)
    swath = speckle(rng, 30, 1, 16, 16)
    rows, cols = np.mgrid[0:16, 0:16]
    for date in range(0, 30, 2):
        swath[date, 0, rows + cols < date] = np.nan
    cases["nodata_swath"] = (swath, 5, 10)
    empty = speckle(rng, 18, 1, 10, 10)
    empty[[0, 5, 17]] = np.nan
    empty[:, 0, 0, 0] = np.nan
    empty[2:, 0, 9, 9] = np.nan
    cases["invalid_dates"] = (empty, 3, 10)
    offset = (speckle(rng, 30, 1, 10, 10) * 8 + 20000).astype(np.float32)
    cases["large_offset"] = (offset, 3, 10)
    return cases


def read_bands(path):
    array = gdal.Open(path).ReadAsArray().astype(np.float32)
    return array if array.ndim == 3 else array[None]


def real_cases(folder):
    """name -> (stack, p, k, inputs relative to the folder)"""
    def files(pattern):
        return sorted(glob.glob(os.path.join(folder, pattern)))

    def stack_of(paths, nodata=None):
        stack = np.stack([read_bands(path) for path in paths])
        if nodata is not None:
            stack[stack == nodata] = np.nan
        return stack

    vv = files("sar_opera_ca/*_VV.tif")
    niger = files("sar_niger/*_mtfil/*.tif") or files("sar_niger/*/*.tif")
    small = files("sar_opera_ca_small/*_VH.tif")
    relative = lambda paths: [os.path.relpath(path, folder) for path in paths]
    return {
        "sar_opera_ca_vv": (stack_of(vv), 7, 10, relative(vv)),
        "sar_niger": (stack_of(niger, 0), 7, 10, relative(niger)),
        "sar_opera_ca_small_vh": (stack_of(small), 3, 5, relative(small)),
    }


def write_tif(path, bands):
    """bands (N, H, W) -> Float32 GeoTIFF, nodata NaN."""
    dataset = gdal.GetDriverByName("GTiff").Create(
        path, bands.shape[2], bands.shape[1], bands.shape[0], gdal.GDT_Float32,
        ["COMPRESS=DEFLATE", "PREDICTOR=3", "ZLEVEL=9", "INTERLEAVE=BAND"])
    dataset.SetGeoTransform((500000, 10, 0, 6000000, 0, -10))
    dataset.GetRasterBand(1).SetNoDataValue(float("nan"))
    dataset.WriteArray(bands.astype(np.float32))


def summary(scores, p, k, stack, **more):
    valid = scores[np.isfinite(scores)]
    threshold = valid.mean() + SIGMA * valid.std()
    return {"patch": p, "neighbors": k, "dates": stack.shape[0], "bands": stack.shape[1], "scores": int(valid.size),
            "mean": valid.mean(), "std": valid.std(), "threshold": threshold,
            "anomalies": int((valid > threshold).sum()), **more}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outdir")
    parser.add_argument("--data")
    parser.add_argument("--stack", action="append", default=[], metavar="NAME=FILE.npy",
                        help="a further stack (T, H, W), scored with patch 7 and 10 neighbors")
    args = parser.parse_args()
    os.makedirs(args.outdir, exist_ok=True)
    cases = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__,
                          "python": sys.version.split()[0]}, "cases": {}}
    synthetic = synthetic_cases()
    for item in args.stack:
        name, path = item.split("=", 1)
        synthetic[name] = (np.load(path)[:, None], 7, 10)
    for name, (stack, p, k) in synthetic.items():
        scores = lof_stack(stack.astype(np.float64), p, k)
        write_tif(os.path.join(args.outdir, name + ".tif"), stack.reshape(-1, *stack.shape[2:]))
        write_tif(os.path.join(args.outdir, name + "_lof.tif"), scores)
        cases["cases"][name] = summary(scores, p, k, stack)
    for name, (stack, p, k, inputs) in (real_cases(args.data) if args.data else {}).items():
        scores = lof_stack(stack.astype(np.float64), p, k)
        write_tif(os.path.join(args.outdir, name + "_lof.tif"), scores)
        cases["cases"][name] = summary(scores, p, k, stack, inputs=inputs)
    with open(os.path.join(args.outdir, "cases.json"), "w", encoding="utf-8") as file:
        json.dump(cases, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
