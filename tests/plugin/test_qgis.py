# SPDX-License-Identifier: Apache-2.0
"""QGIS without a screen opens what the plugin computes, and draws it. GDAL_DRIVER_PATH names the plugin's folder."""
import os
import subprocess
import sys
import tempfile

SKIPPED = 77  # what ctest takes for it

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
try:
    from qgis.core import (QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsProject, QgsRasterLayer)
    from qgis.PyQt.QtCore import QSize
except ImportError as error:
    print(f"skipped: {error}; Debian's package is python3-qgis")
    sys.exit(SKIPPED)


def draw(layer, path):
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setExtent(layer.extent())
    settings.setOutputSize(QSize(240, 200))
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors(), [error.message for error in job.errors()]
    image = job.renderedImage()
    image.save(path)
    return image


def n_colors(image):
    return len({image.pixel(x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)})


def main(bin_dir):
    application = QgsApplication([], False)
    application.initQgis()
    with tempfile.TemporaryDirectory() as folder:
        def run(*words):
            subprocess.run([f"{bin_dir}/{words[0]}", "-q", *words[1:]], check=True)

        run("rastertide_simulate", "-n_dates", "16", "-outsize", "240", "200", "-o", f"{folder}/stack")
        run("rastertide_lof", "-lazy", "-o", f"{folder}/lof", f"{folder}/stack")
        run("rastertide_kmeans", "-lazy", "-k", "4", "-max_iter", "4", "-o", f"{folder}/kmeans", f"{folder}/stack")
        for name in (f"RASTERTIDE:{folder}/stack?product=lof_max", f"{folder}/lof/lof_lazy.rastertide",
                     f"RASTERTIDE:{folder}/stack?product=labels&model={folder}/kmeans/centers.json",
                     f"{folder}/kmeans/labels_lazy.vrt"):
            layer = QgsRasterLayer(name, "lazy")
            assert layer.isValid(), f"{name}: {layer.error().message()}"
            assert layer.crs().authid() == "EPSG:32632", layer.crs().authid()
            QgsProject.instance().addMapLayer(layer)
            colors = n_colors(draw(layer, f"{folder}/picture.png"))
            print(f"{os.path.basename(name)}: {layer.bandCount()} bands, {colors} colours")
            assert colors >= 4, name
        assert not QgsRasterLayer(f"RASTERTIDE:{folder}/none", "none").isValid()
    sys.stdout.flush()
    os._exit(0)  # QGIS of Debian 12 may crash on its way out


main(sys.argv[1])
