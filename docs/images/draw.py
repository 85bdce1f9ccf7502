# SPDX-License-Identifier: Apache-2.0
"""Draws a scene, its LOF run's anomaly counts and highest scores.

    python3 docs/images/draw.py data/sample/sim_20190801.tif result docs/images/sample.png

Needs python3-gdal, python3-matplotlib and python3-pil."""
import sys

import numpy as np

import panels

scene_path, result, picture_path = sys.argv[1:]
scene = panels.in_db(panels.read_band(scene_path))
highest = panels.read_band(result + "/lof_max.tif")
count = panels.read_band(result + "/anomaly_count.tif")
count[count == 65535] = np.nan

images = [
    (scene, "one of the scenes, dB", "gray", np.nanpercentile(scene, 2), np.nanpercentile(scene, 98)),
    (count, "anomaly_count.tif: anomalous dates", "YlOrRd", 0, np.nanpercentile(count, 99.5)),
    (highest, "lof_max.tif: highest LOF", "magma", 1, np.nanpercentile(highest, 99)),
]
figure, axes = panels.new_figure(len(images))
for axis, (values, title, colours, low, high) in zip(axes, images):
    picture = panels.draw_image(axis, values, title, cmap=colours, vmin=low, vmax=high)
    figure.colorbar(picture, ax=axis, fraction=0.035)
panels.save(picture_path)
