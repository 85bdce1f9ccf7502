# SPDX-License-Identifier: Apache-2.0
"""Draws scenes beside the labels that rastertide_kmeans gave them, in the colours of labels.vrt.

    python3 docs/images/draw_labels.py result docs/images/labels.png SCENE...

Each SCENE is a file of the run. With -features patch its labels are those of its date; with -features time there is
one band of labels, and the centres are drawn as curves. Scenes of a run in decibels are drawn in decibels.
Needs python3-gdal, python3-matplotlib and python3-pil."""
import json
import os
import sys

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from osgeo import gdal

import panels

result, picture_path, *scene_paths = sys.argv[1:]
with open(result + "/summary.json") as file:
    summary = json.load(file)
with open(result + "/centers.json") as file:
    model = json.load(file)
over_time = model["features"] == "time"
n_clusters = model["k"]

labels = gdal.Open(result + "/labels.vrt")
table = labels.GetRasterBand(1).GetColorTable()
names = labels.GetRasterBand(1).GetCategoryNames()
colours = [tuple(value / 255 for value in table.GetColorEntry(i)[:3]) for i in range(1, n_clusters + 1)]


def band_of(scene_path):
    """The band of labels.vrt that belongs to a scene, from 1."""
    name = os.path.basename(scene_path)
    return [os.path.basename(date["scene"]) for date in summary["labels"]].index(name) + 1


def draw_scene(axis, path):
    values = panels.read_band(path)
    values[values > 60000] = np.nan  # negative numbers that a UInt16 cannot hold
    if model["scale"] == "db":
        values = panels.in_db(values)
    low, high = np.nanpercentile(values, [2, 98])
    panels.draw_image(axis, values, "scene " + panels.date_in(path), cmap="gray", vmin=low, vmax=high)


def draw_labels(axis, band, title):
    values = panels.read_band(result + "/labels.vrt", band)
    values[values == 0] = np.nan
    panels.draw_image(axis, values, title, cmap=ListedColormap(colours), vmin=0.5, vmax=n_clusters + 0.5)


def draw_curves(axis):
    for center, colour in zip(model["centers"], colours):
        axis.plot(range(1, len(center) + 1), center, color=colour, linewidth=1.5)
    axis.set_title(f"centres at dates 1 to {summary['dates']}", fontsize=9)
    axis.tick_params(labelsize=7)


if over_time:
    figure, axes = panels.new_figure(len(scene_paths) + 2)
    for axis, path in zip(axes, scene_paths):
        draw_scene(axis, path)
    draw_labels(axes[-2], 1, "labels.vrt")
    draw_curves(axes[-1])
else:
    figure, axes = panels.new_figure(2 * len(scene_paths))
    for i, path in enumerate(scene_paths):
        draw_scene(axes[2 * i], path)
        draw_labels(axes[2 * i + 1], band_of(path), "labels " + panels.date_in(path))
legend = [Patch(color=colour, label=name) for colour, name in zip(colours, names[1:])]
figure.legend(handles=legend, loc="lower center", ncol=n_clusters, fontsize=8, frameon=False)
panels.save(picture_path, legend_height=0.08)
