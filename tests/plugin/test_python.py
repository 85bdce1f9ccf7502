# SPDX-License-Identifier: Apache-2.0
"""The plugin from Python, by osgeo.gdal and, where it is installed, rasterio. GDAL_DRIVER_PATH names its folder."""
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SKIPPED = 77  # what ctest takes for it

try:
    import numpy as np
    from osgeo import gdal
except ImportError as error:
    print(f"skipped: {error}; Debian's package is python3-gdal")
    sys.exit(SKIPPED)

gdal.UseExceptions()
N_DATES, N_ROWS, N_COLS = 12, 80, 110


def make_stack(path):
    rng = np.random.default_rng(5)
    pixels = rng.gamma(4, 0.25, (N_DATES, N_ROWS, N_COLS)).astype(np.float32)
    pixels[:, 40, 50:53] = np.nan
    dataset = gdal.GetDriverByName("GTiff").Create(path, N_COLS, N_ROWS, N_DATES, gdal.GDT_Float32)
    dataset.SetGeoTransform([480000, 10, 0, 5990000, 0, -10])
    dataset.GetRasterBand(1).SetNoDataValue(float("nan"))
    dataset.WriteArray(pixels)


def main(bin_dir):
    with tempfile.TemporaryDirectory() as folder:
        stack = f"{folder}/stack.tif"
        make_stack(stack)
        subprocess.run([f"{bin_dir}/rastertide_lof", "-q", "-o", f"{folder}/out", stack], check=True)
        expected = gdal.Open(f"{folder}/out/lof.vrt").ReadAsArray()

        name = f"RASTERTIDE:{stack}"
        np.testing.assert_array_equal(gdal.Open(name).ReadAsArray(), expected)

        def read(i):
            dataset = gdal.Open(name)  # each thread its own: GDAL's rule
            return dataset.GetRasterBand(i + 1).ReadAsArray(i, i, N_COLS - i, N_ROWS - i)

        for n_threads in (1, 8):
            with ThreadPoolExecutor(n_threads) as pool:
                for i, found in enumerate(pool.map(read, range(N_DATES))):
                    np.testing.assert_array_equal(found, expected[i, i:, i:])

        options = ["PATCH=3", "NEIGHBORS=5", "PRODUCT=lof_max"]
        assert gdal.OpenEx(name, open_options=options).GetMetadataItem("RASTERTIDE_PATCH") == "3"
        for wrong in (f"RASTERTIDE:{folder}/none.tif", name + "?patch=2", name + "?colour=red"):
            try:
                gdal.Open(wrong)
            except RuntimeError as error:
                assert "Rastertide" in str(error), error
            else:
                raise AssertionError(f"{wrong} was opened")

        gdal.AllRegister()  # again, as Python programs do
        n = sum(gdal.GetDriver(i).ShortName == "RASTERTIDE" for i in range(gdal.GetDriverCount()))
        assert n == 1, n
        try:
            import rasterio
        except ImportError as error:
            print(f"rasterio not tried: {error}")
            return
        with rasterio.open(name) as dataset:
            np.testing.assert_array_equal(dataset.read(), expected)
            assert dataset.count == N_DATES and dataset.crs is None


main(sys.argv[1])
