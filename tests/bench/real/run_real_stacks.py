#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs both utilities on real stacks and prints what came out, as a table.

    tests/bench/real/run_real_stacks.py --bin build/release/bin --data FOLDER > real-stacks.md

FOLDER holds the stacks that docs/real-stacks.md names, each in the state in which its archive has it.
"""
import argparse
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Name, options for every utility, inputs. {} is the folder of the stacks.
STACKS = [
    ("OPERA RTC, VV", ["-scale", "db"], ["{}/sar_opera_ca/*_VV.tif"]),
    ("OPERA RTC, VV, two extents", ["-scale", "db", "-align", "intersection"],
     ["{}/sar_opera_ca/*_VV.tif", "{}/sar_opera_ca_small/*_VV.tif"]),
    ("Niger, Sentinel-1 VH", [], ["{}/sar_niger/*.vrt"]),
    ("WorldCereal, Sentinel-1 VV and VH", ["-dataset", "VV", "-dataset", "VH"], ["{}/sar_worldcereal/*.nc"]),
    ("LAI Italy, netCDF", [], ["{}/lai_s2_italy/Unevenly_spaced_time_series.nc"]),
    ("LAI Italy, GeoTIFF of the same numbers", [], ["{}/lai_s2_italy/Unevenly_spaced_time_series_R_terra.tif"]),
    ("Slovenia, NDVI, clouds in the files", [], ["{}/ndvi_s2_slovenia/ndvi_masked_tif"]),
    ("Slovenia, NDVI, clouds by -mask", ["-mask", "{out}/clear"], ["{}/ndvi_s2_slovenia/ndvi_tif"]),
    ("MODIS NDVI, JPEG 2000", [], ["{}/ndvi_modis"]),
    ("MODIS NDVI, JPEG 2000, in UTM", ["-t_srs", "EPSG:32721", "-tr", "250", "250", "-r", "bilinear"], ["{}/ndvi_modis"]),
    ("CBERS-4, band 16", [], ["{}/bands_cbers/*_B16_*.tif"]),
    ("Mato Grosso, NDVI", ["-dates", "{}/modis_mato_grosso/timeline"], ["{}/modis_mato_grosso/ndvi.tif"]),
]


def run(command, outdir):
    """The summary of a run, or the one line that it ended with."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1]
    return json.loads((pathlib.Path(outdir) / "summary.json").read_text()), ""


def make_clear_sky(data, folder):
    """Masks that are 0 where the cloud masks are 1: a mask of GDAL says what is valid."""
    os.makedirs(folder)
    for mask in glob.glob(f"{data}/ndvi_s2_slovenia/clm_tif/*.tif"):
        subprocess.run(["gdal_translate", "-q", "-of", "VRT", "-scale", "0", "1", "1", "0", mask,
                        f"{folder}/{pathlib.Path(mask).stem}.vrt"], check=True)


def row_of(name, options, inputs, data, folder, outdir):
    options = [option.format(data, out=outdir) for option in options]
    files = [file for pattern in inputs for file in sorted(glob.glob(pattern.format(data)))]
    lof_out, kmeans_out = os.path.join(outdir, "lof"), os.path.join(outdir, "kmeans")
    common = ["-q", "-overwrite", *options]
    lof, error = run([f"{folder}/rastertide_lof", *common, "-o", lof_out, *files], lof_out)
    if lof is None:
        return f"| {name} | {error} | | | | |"
    lines = (pathlib.Path(lof_out) / "per_date.csv").read_text().splitlines()
    columns = lines[0].split(",")
    dates = [dict(zip(columns, line.rsplit(",", len(columns) - 1))) for line in lines[1:]]
    worst = max(dates, key=lambda date: int(date["anomalies"]))
    empty = sum(int(date["valid"]) == 0 for date in dates)
    kmeans, error = run([f"{folder}/rastertide_kmeans", *common, "-k", "6", "-o", kmeans_out, *files], kmeans_out)
    sizes = error if kmeans is None else ", ".join(f"{100 * size / sum(kmeans['sizes']):.0f}" for size in kmeans["sizes"])
    valid = lof["scores"] / (lof["locations"] * lof["dates"])
    return (f"| {name} | {lof['dates']}, {empty} without a score | {lof['scores']:,} ({100 * valid:.0f}%) | {lof['threshold']:.3f}: "
            f"{lof['anomalies']:,} at {lof['anomalous_locations']:,} locations | {worst['date'][:10]}: {worst['anomalies']} of "
            f"{worst['valid']} | {sizes} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the utilities")
    parser.add_argument("--data", required=True, help="folder of the stacks")
    arguments = parser.parse_args()
    print("| stack | dates | scores (of all places and dates) | threshold, anomalies | the date with most | clusters of K = 6, % |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as outdir:
        make_clear_sky(arguments.data, os.path.join(outdir, "clear"))
        for name, options, inputs in STACKS:
            print(row_of(name, options, inputs, arguments.data, arguments.bin, outdir), flush=True)


if __name__ == "__main__":
    sys.exit(main())
