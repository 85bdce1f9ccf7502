# SPDX-License-Identifier: Apache-2.0
"""What the pictures of the docs share. Needs python3-gdal, python3-matplotlib and python3-pil."""
import os
import re

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from osgeo import gdal
from PIL import Image

gdal.UseExceptions()


def read_band(path, band=1):
    dataset = gdal.Open(path)
    return dataset.GetRasterBand(band).ReadAsArray().astype(float)


def in_db(values):
    with np.errstate(divide="ignore", invalid="ignore"):
        return 10 * np.log10(values)


def date_in(path):
    """The first date in a file name, as YYYY-MM-DD."""
    found = re.search(r"(\d{4})-?(\d{2})-?(\d{2})", os.path.basename(path))
    return "-".join(found.groups()) if found else ""


def new_figure(n_panels):
    figure, axes = plt.subplots(1, n_panels, figsize=(11, 2.9), dpi=85)
    return figure, np.atleast_1d(axes)


def draw_image(axis, values, title, **colours):
    picture = axis.imshow(values, interpolation="nearest", **colours)
    axis.set_title(title, fontsize=9)
    axis.set_xticks([])
    axis.set_yticks([])
    return picture


def save(picture_path, legend_height=0):
    """With a palette: a third of the size. legend_height: what is kept free below, a part of the height."""
    plt.tight_layout(rect=(0, legend_height, 1, 0.97 if legend_height else 1))
    plt.savefig(picture_path)
    Image.open(picture_path).convert("RGB").quantize(96).save(picture_path, optimize=True)
