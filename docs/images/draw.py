# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures of the docs: a scene, its run's anomaly counts and highest scores.

    python3 docs/images/draw.py data/sample/sim_20190801.tif result docs/images/sample.png

Needs python3-gdal, python3-matplotlib and python3-pil."""
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from osgeo import gdal
from PIL import Image

scene_path, result, picture_path = sys.argv[1:]
with np.errstate(divide="ignore", invalid="ignore"):
    scene = 10 * np.log10(gdal.Open(scene_path).ReadAsArray())
highest = gdal.Open(result + "/lof_max.tif").ReadAsArray()
count = gdal.Open(result + "/anomaly_count.tif").ReadAsArray().astype(float)
count[count == 65535] = np.nan

panels = [
    (scene, "one of the scenes, dB", "gray", np.nanpercentile(scene, 2), np.nanpercentile(scene, 98)),
    (count, "anomaly_count.tif: anomalous dates", "YlOrRd", 0, np.nanpercentile(count, 99.5)),
    (highest, "lof_max.tif: highest LOF", "magma", 1, np.nanpercentile(highest, 99)),
]
figure, axes = plt.subplots(1, 3, figsize=(11, 2.9), dpi=85)
for axis, (values, title, colours, low, high) in zip(axes, panels):
    picture = axis.imshow(values, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axis.set_title(title, fontsize=9)
    axis.set_xticks([])
    axis.set_yticks([])
    figure.colorbar(picture, ax=axis, fraction=0.035)
plt.tight_layout()
plt.savefig(picture_path)
Image.open(picture_path).convert("RGB").quantize(96).save(picture_path, optimize=True)
