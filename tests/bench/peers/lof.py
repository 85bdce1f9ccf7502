#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a location costs: LOF of 363 patches of 7 x 7, k = 10, beside torch and scikit-learn on one core, in turn.

    python3 tests/bench/peers/lof.py --bin build/release/bin --work FOLDER > lof.md

`kernel` is the LOF stage of rastertide_lof, `run` its whole wall time from an HDF5 file to products on disk, with the same
core for reading and writing. The peers get patches that are unfolded beforehand, which is not counted. Needs h5py and
numpy; of torch and scikit-learn what is there.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

from alternate import in_turn, module, spread

import h5py  # noqa: E402
import numpy as np  # noqa: E402

PATCH, NEIGHBORS = 7, 10


def stack(arguments):
    path = arguments.work / f"peers_{arguments.dates}_{arguments.size}.h5"
    if not path.exists():
        subprocess.run([arguments.bin / "rastertide_simulate", "-q", "-n_dates", str(arguments.dates), "-outsize",
                        str(arguments.size), str(arguments.size), "-o", path], check=True)
    return path


def pixels_of(path):
    """[date, row, col]: the one variable of three dimensions."""
    with h5py.File(path) as file:
        names = [name for name, item in file.items() if isinstance(item, h5py.Dataset) and item.ndim == 3]
        return file[names[0]][:]


def patches_of(pixels, n_locations):
    """[location, date, pixel] of locations in reading order."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (PATCH, PATCH), axis=(1, 2))
    flat = windows.reshape(pixels.shape[0], -1, PATCH * PATCH)[:, :n_locations]
    return np.ascontiguousarray(flat.transpose(1, 0, 2))


def rastertide(arguments, path):
    out = arguments.work / "peers_lof"
    start = time.perf_counter()
    subprocess.run([arguments.bin / "rastertide_lof", "-q", "-j", "1", "-overwrite", "-o", out, path], check=True)
    seconds = time.perf_counter() - start
    summary = json.loads((out / "summary.json").read_text())
    return summary["stages"]["lof"]["seconds"] / summary["locations"] * 1e6, seconds / summary["locations"] * 1e6


def torch_scores(torch, patches, chunk=16):
    """scikit-learn's definition by a batched Gram matrix and topk: what a user of torch would write."""
    scores = []
    for first in range(0, len(patches), chunk):
        x = torch.from_numpy(patches[first:first + chunk])
        norms = (x * x).sum(-1)
        squares = norms[:, :, None] + norms[:, None, :] - 2 * torch.bmm(x, x.transpose(1, 2))
        squares.diagonal(dim1=1, dim2=2).fill_(float("inf"))
        nearest, places = torch.topk(squares, NEIGHBORS, dim=-1, largest=False)
        nearest = nearest.clamp_min(0).sqrt()
        reach = torch.gather(nearest[..., -1], 1, places.flatten(1)).view_as(nearest)
        density = 1 / (torch.maximum(nearest, reach).mean(-1) + 1e-10)
        around = torch.gather(density, 1, places.flatten(1)).view_as(nearest)
        scores.append(around.mean(-1) / density)
    return torch.cat(scores)


def sklearn_scores(neighbors, patches):
    return [-neighbors.LocalOutlierFactor(n_neighbors=NEIGHBORS).fit(x).negative_outlier_factor_ for x in patches]


def seconds_per_location(function, n_locations):
    start = time.perf_counter()
    function()
    return (time.perf_counter() - start) / n_locations * 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--dates", type=int, default=363)
    parser.add_argument("--size", type=int, default=256, help="pixels each way of the stack (default: 256)")
    parser.add_argument("--locations", type=int, default=1024, help="that a peer scores (default: 1024)")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    path = stack(arguments)
    patches = patches_of(pixels_of(path), arguments.locations)
    torch, neighbors = module("torch"), module("sklearn.neighbors")

    cases = {"rastertide_lof": lambda: rastertide(arguments, path)}
    if torch is not None:
        torch.set_num_threads(1)
        cases[f"torch {torch.__version__}, Float32"] = lambda: seconds_per_location(
            lambda: torch_scores(torch, patches), len(patches))
    if neighbors is not None:
        few = patches[:128].astype(np.float64)
        cases[f"scikit-learn {module('sklearn').__version__}, Float64"] = lambda: seconds_per_location(
            lambda: sklearn_scores(neighbors, few), len(few))
    results = in_turn(cases, arguments.repeats)

    kernel, run = zip(*results.pop("rastertide_lof"))
    print(f"| T = {arguments.dates}, {PATCH} x {PATCH}, k = {NEIGHBORS} | us a location | times the kernel | times the run |")
    print("|---|---|---|---|")
    rows = {"rastertide_lof, kernel": kernel, "rastertide_lof, run": run, **results}
    for name, values in rows.items():
        median = statistics.median(values)
        print(f"| {name} | {spread(values, 1)} | {median / statistics.median(kernel):.1f} | {median / statistics.median(run):.1f} |")


if __name__ == "__main__":
    main()
