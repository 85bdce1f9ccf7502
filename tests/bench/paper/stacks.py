# SPDX-License-Identifier: Apache-2.0
"""The stack on disk: how large it gets, made and removed; and its pixels, for the checks."""
import json
import os
import pathlib
import shutil
import subprocess

import h5py
import numpy as np
from osgeo import gdal

gdal.UseExceptions()
BLOCK = 128


def up(size):
    return -(-size // BLOCK) * BLOCK


def stack_bytes(dates, cols, rows):
    """Blocks at the rim are stored whole; the truth beside the stack is gone before the first run."""
    return int(dates * up(cols) * up(rows) * 4 * 1.02)


def outdir_bytes(job, dates, cols, rows):
    """LOF writes a score and an anomaly byte a patch, K-Means a label; blocks of the shards are stored whole as well."""
    return int(dates * cols * rows * (5 if job == "lof" else 1) * 1.15) + (20 << 20)


def path_of(kind, work):
    return work / ("stack.h5" if kind == "hdf5" else "stack_tif")


def files_of(path):
    return sorted(path.glob("*.tif")) if path.is_dir() else [path]


def is_whole(path, settings):
    note = path.with_suffix(".json")
    return path.exists() and note.exists() and json.loads(note.read_text()) == settings


def remove(path):
    path.with_suffix(".json").unlink(missing_ok=True)
    for suffix in ("_truth.tif", "_truth.json"):
        path.with_name(path.stem + suffix).unlink(missing_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make(path, settings, simulate, launch):
    """Makes a stack, unless a whole one of these settings is there. A note beside it says that it is whole."""
    if is_whole(path, settings):
        return
    remove(path)
    size = [str(n) for n in settings["size"]]
    launch([str(simulate), "-q", "-n_dates", str(settings["dates"]), "-outsize", *size, "-o", str(path)])
    for suffix in ("_truth.tif", "_truth.json"):
        path.with_name(path.stem + suffix).unlink(missing_ok=True)
    path.with_suffix(".json").write_text(json.dumps(settings))
    # Pages that are not yet on disk could not be dropped from the cache.
    subprocess.run(["sync"], check=True)


def forget(path):
    """Takes the stack out of the system's cache, so that each run loads it from the disk."""
    for file in files_of(path):
        handle = os.open(file, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


class Stack:
    """Pixels [date, row, col] of an HDF5 file or a folder of GeoTIFFs, in the order of their dates."""

    def __init__(self, path, scale="linear"):
        self.files = files_of(pathlib.Path(path))
        self.scale = scale
        self.hdf5 = h5py.File(self.files[0]) if h5py.is_hdf5(self.files[0]) else None
        if self.hdf5:
            self.n_dates, self.rows, self.cols = self.hdf5["data"].shape
            self.geotransform = [float(n) for n in self.hdf5["crs"].attrs["GeoTransform"].split()]
        else:
            scene = gdal.Open(str(self.files[0]))
            self.n_dates, self.rows, self.cols = len(self.files), scene.RasterYSize, scene.RasterXSize
            self.geotransform = list(scene.GetGeoTransform())

    def windows(self, windows, n_dates=None):
        """Windows (row, col, rows, cols) at the first dates, as an array each. A file is opened once for all of them."""
        n_dates = n_dates or self.n_dates
        if self.hdf5:
            found = [self.hdf5["data"][:n_dates, r:r + h, c:c + w] for r, c, h, w in windows]
        else:
            scenes = (gdal.Open(str(file)) for file in self.files[:n_dates])
            by_date = [[scene.ReadAsArray(c, r, w, h) for r, c, h, w in windows] for scene in scenes]
            found = [np.stack([date[i] for date in by_date]) for i in range(len(windows))]
        return [self.scaled(pixels.astype(np.float64)) for pixels in found]

    def scaled(self, pixels):
        if self.scale == "linear":
            return pixels
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(pixels > 0, 10 * np.log10(pixels), np.nan)

    def projwin(self, row, col, rows, cols):
        """-projwin of a window: its last pixel ends half a pixel early, as the window is read outwards to whole pixels."""
        x, dx, _, y, _, dy = self.geotransform
        ends = (x + col * dx, y + row * dy, x + (col + cols - 0.5) * dx, y + (row + rows - 0.5) * dy)
        return ["-projwin", *(repr(end) for end in ends)]
