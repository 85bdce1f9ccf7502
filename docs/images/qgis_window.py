# SPDX-License-Identifier: Apache-2.0
"""A picture of QGIS with a layer that the GDAL plugin computes. QGIS runs this file itself:

    export GDAL_DRIVER_PATH=build/release/gdalplugins
    xvfb-run -s '-screen 0 1400x900x24' qgis --nologo --noversioncheck --code docs/images/qgis_window.py

STACK (a folder of scenes) and PICTURE (a .png) are environment variables.
"""
import os

from qgis.core import (QgsColorRampShader, QgsProject, QgsRasterLayer, QgsRasterShader, QgsSingleBandPseudoColorRenderer)
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QColor
from qgis.utils import iface


def ramp(items):
    shader = QgsColorRampShader(items[0][0], items[-1][0])
    shader.setColorRampType(QgsColorRampShader.Interpolated)
    shader.setColorRampItemList([QgsColorRampShader.ColorRampItem(value, QColor(color), str(value)) for value, color in items])
    raster_shader = QgsRasterShader()
    raster_shader.setRasterShaderFunction(shader)
    return raster_shader


def add(source, name, items):
    layer = QgsRasterLayer(source, name)
    assert layer.isValid(), source
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), 1, ramp(items))
    renderer.setClassificationMin(items[0][0])
    renderer.setClassificationMax(items[-1][0])
    layer.setRenderer(renderer)
    QgsProject.instance().addMapLayer(layer)
    return layer


def take_picture():
    iface.mainWindow().grab().save(os.environ["PICTURE"])
    os._exit(0)


def show():
    stack = os.environ["STACK"]
    layer = add(f"RASTERTIDE:{stack}?product=lof_max&scale=db", "lof_max, lazy",
                [(1, "#f7f7f7"), (1.5, "#f4a582"), (2, "#b2182b")])
    window = iface.mainWindow()
    window.resize(1280, 800)
    window.move(0, 0)
    iface.setActiveLayer(layer)
    iface.mapCanvas().setDestinationCrs(layer.crs())
    iface.mapCanvas().setExtent(layer.extent())
    iface.mapCanvas().refresh()
    QTimer.singleShot(6000, take_picture)


QTimer.singleShot(3000, show)
