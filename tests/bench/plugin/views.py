# SPDX-License-Identifier: Apache-2.0
"""What a reader waits for the GDAL plugin: windows of LOF, a whole scene of labels, views of the full extent.

    export GDAL_DRIVER_PATH=build/release/gdalplugins
    taskset -c 1 python3 tests/bench/plugin/views.py build/release/bin FOLDER     # of 4 GB; what is there is used again

Prints the medians of alternating runs as a table. Needs python3-gdal.
"""
import os
import statistics
import subprocess
import sys
import time

from osgeo import gdal

gdal.UseExceptions()
REPEATS = 5


def stack(folder, bin_dir, n_dates, n_cols, n_rows):
    path = f"{folder}/s_{n_dates}_{n_cols}_{n_rows}"
    if not os.path.exists(path):
        subprocess.run([f"{bin_dir}/rastertide_simulate", "-q", "-n_dates", str(n_dates), "-outsize", str(n_cols), str(n_rows), "-o", path], check=True)
    return path


def view(name, options, window, size=None):
    """Seconds of a reading, without those of the opening."""
    dataset = gdal.OpenEx(name, open_options=["NUM_THREADS=1", *options])
    band = dataset.GetRasterBand(2 if dataset.RasterCount > 1 else 1)
    start = time.perf_counter()
    band.ReadAsArray(*window, *(size or window[2:]))
    return time.perf_counter() - start


def copy(name, options=()):
    dataset = gdal.OpenEx(name, open_options=list(options))
    start = time.perf_counter()
    gdal.Translate("/vsimem/labels.tif", dataset, bandList=[1])
    return time.perf_counter() - start


def main(bin_dir, folder):
    os.makedirs(folder, exist_ok=True)
    few, many = (stack(folder, bin_dir, n, 600, 600) for n in (60, 363))
    large = stack(folder, bin_dir, 60, 5660, 2100)
    scenes = sorted(f"{large}/{name}" for name in os.listdir(large))[:2]
    clusters = f"{folder}/clusters"
    if not os.path.exists(clusters):
        subprocess.run([f"{bin_dir}/rastertide_kmeans", "-q", "-k", "8", "-max_iter", "5", "-lazy", "-o", clusters, *scenes], check=True)
    labels = f"RASTERTIDE:{large}?product=labels&model={clusters}/centers.json"
    whole = (0, 0, 5660, 2100)
    cases = {
        "LOF, 60 dates, 256 x 256 in the midst of blocks": lambda: view(f"RASTERTIDE:{few}", [], (101, 77, 256, 256)),
        "LOF, 363 dates, the same": lambda: view(f"RASTERTIDE:{many}", [], (101, 77, 256, 256)),
        "labels, K = 8, 5660 x 2100, by the driver": lambda: copy(labels, ["NUM_THREADS=1"]),
        "the same by labels_lazy.vrt": lambda: copy(f"{clusters}/labels_lazy.vrt"),
        "LOF, 60 dates, 5660 x 2100 at 1:16": lambda: view(f"RASTERTIDE:{large}", [], whole, (353, 131)),
        "labels, the same": lambda: view(labels, [], whole, (353, 131)),
    }
    seconds = {name: [] for name in cases}
    for _ in range(REPEATS):
        for name, run in cases.items():
            seconds[name].append(run())
    print("| reading | s, median | least | most |\n|---|---|---|---|")
    for name, times in seconds.items():
        print(f"| {name} | {statistics.median(times):.2f} | {min(times):.2f} | {max(times):.2f} |")


main(*sys.argv[1:])
