# SPDX-License-Identifier: Apache-2.0
"""One run: its command, made and measured, and what is kept of it."""
import contextlib
import datetime
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from fractions import Fraction

import numpy as np
from osgeo import gdal

import stacks

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "memory"))
from measure_memory import peak_of, ranks_below  # noqa: E402

PROGRAMS = {"lof": "rastertide_lof", "kmeans": "rastertide_kmeans", "elbow": "rastertide_kmeans"}
OPTIONS = {
    "lof": ["-patch", "7", "-neighbors", "10", "-threshold", "sigma:2"],
    "kmeans": ["-patch", "7", "-k", "10"],
    "elbow": ["-patch", "7", "-k", "2:16"],
}
FINDINGS = ["locations", "scores", "mean", "std", "threshold", "anomalies", "anomalous_locations", "patches", "k", "energy",
            "iterations", "elbow", "knee", "tiles", "simd", "device"]


class RunFailed(Exception):
    pass


def environment():
    return dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_WAIT_POLICY="passive")


@contextlib.contextmanager
def undisturbed():
    """What is in it is done to its end: a second Ctrl-C would leave processes and gigabytes behind."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def is_alive(pid):
    """A process that has ended and was not yet waited for does not count."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(pids, seconds):
    end = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)


def stop(process, program):
    """Ends a run and all its ranks. When it returns, nobody writes into its folder any more."""
    ranks = ranks_below(process.pid, program)
    process.terminate()
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    wait_for_end(ranks, 10)
    for rank in filter(is_alive, ranks):
        os.kill(rank, 9)
    wait_for_end(ranks, 10)


def start(command, errors):
    """In a session of its own: Ctrl-C reaches this program alone, which then ends the run in order."""
    try:
        return subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
    except OSError as error:
        raise RunFailed(error) from error


def launch(command, program=""):
    """Runs a command. Returns its seconds and the peak bytes of each process of `program` in it."""
    peaks = {}
    with tempfile.TemporaryFile("w+") as errors:
        begin = time.perf_counter()
        process = start(command, errors)
        try:
            while process.poll() is None:
                for rank in ranks_below(process.pid, program) if program else []:
                    peaks[rank] = max(peaks.get(rank, 0), peak_of(rank))
                time.sleep(0.05)
        except BaseException:
            with undisturbed():
                stop(process, program or pathlib.Path(command[0]).name)
            raise
        seconds = time.perf_counter() - begin
        if process.returncode != 0:
            errors.seek(0)
            raise RunFailed(f"exit code {process.returncode}: {what_failed(errors.read())}")
    return seconds, sorted(peaks.values())


def what_failed(text):
    """The line of ours among those of the launcher."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" -")]
    ours = [line for line in lines if line.startswith(("rastertide_", "ERROR"))]
    return ours[-1] if ours else " ".join(lines)[:500] or "no message"


class Run:
    """What to run: a job on a part of the width, from an input, on ranks of threads."""

    def __init__(self, job, fraction, kind, ranks, threads):
        self.job, self.fraction, self.kind, self.ranks, self.threads = job, Fraction(fraction), kind, ranks, threads

    def key(self):
        return f"{self.job} {self.fraction} {self.kind} {self.ranks}x{self.threads}"

    def cols(self, cols):
        return max(1, round(cols * self.fraction))

    def command(self, stack, outdir, settings, bin_folder):
        job = self.job
        window = []
        if self.fraction < 1:
            source = stacks.Stack(stack)
            window = source.projwin(0, 0, source.rows, self.cols(source.cols))
        launcher = [word.format(ranks=self.ranks) for word in shlex.split(settings["launcher"])]
        extra = shlex.split(settings["lof_options" if job == "lof" else "kmeans_options"])
        if job == "elbow":
            extra += ["-date_step", str(settings["elbow_date_step"])]
        return [*launcher, str(bin_folder / PROGRAMS[job]), "-q", "-j", str(self.threads), "-mem", settings["mem"],
                *OPTIONS[job], *extra, *window, "-o", str(outdir), str(stack)]


def in_words(command):
    """The command without folders: they are not part of the result."""
    return shlex.join(pathlib.Path(word).name if os.path.isabs(word) else word for word in command)


def measure(run, stack, outdir, settings, bin_folder, products):
    """Makes a run and reads what is worth keeping of it. OUTDIR is there afterwards."""
    shutil.rmtree(outdir, ignore_errors=True)
    stacks.forget(stack)
    command = run.command(stack, outdir, settings, bin_folder)
    date = datetime.date.today().isoformat()
    seconds, peaks = launch(command, PROGRAMS[run.job])
    summary = json.loads((outdir / "summary.json").read_text())
    keep_products(run, outdir, settings, products)
    return {
        "key": run.key(), "job": run.job, "fraction": str(run.fraction), "cols": run.cols(settings["size"][0]),
        "rows": settings["size"][1], "input": run.kind, "ranks": run.ranks, "threads": run.threads,
        "command": in_words(command), "date": date, "version": summary["version"], "wall_seconds": round(seconds, 3),
        "seconds": summary["seconds"], "stages": {name: stage["seconds"] for name, stage in summary["stages"].items()},
        # A last look may miss the end of a rank; the largest rank says itself what it held.
        "peak_bytes": [*peaks[:-1], max(peaks[-1:] + [summary["peak_memory_bytes"]])],
        **{name: summary[name] for name in FINDINGS if name in summary},
    }


def section_of(dataset, size):
    """The middle of a raster, at most `size` pixels each way."""
    cols, rows = min(size, dataset.RasterXSize), min(size, dataset.RasterYSize)
    return (dataset.RasterXSize - cols) // 2, (dataset.RasterYSize - rows) // 2, cols, rows


def keep_section(dataset, band, size, path):
    window = section_of(dataset, size)
    np.savez_compressed(path, pixels=dataset.GetRasterBand(band).ReadAsArray(*window), window=window,
                        date=dataset.GetRasterBand(band).GetMetadataItem("DATE") or "")


def keep_products(run, outdir, settings, products):
    """Small parts of the products, for the plots: those of a fraction are the same on all ranks and from each input."""
    folder = products / f"{run.job}_{str(run.fraction).replace('/', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    if run.job == "lof":
        shutil.copy(outdir / "per_date.csv", folder)
        keep_section(gdal.Open(str(outdir / "anomaly_count.tif")), 1, settings["section"], folder / "section.npz")
    elif run.job == "kmeans":
        labels = gdal.Open(str(outdir / "labels.vrt"))
        keep_section(labels, labels.RasterCount // 2 + 1, settings["section"], folder / "section.npz")
    else:
        shutil.copy(outdir / "elbow.csv", folder)
