#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether runs stay within -mem: the most that all ranks of a run hold together, as the kernel counts it.

    tests/bench/memory/measure_memory.py --bin build/release/bin [--work DIR] [--only TEXT] > memory.md

Makes a stack of 1000 dates and a sparse one of 20,000 x 20,000 pixels, runs both utilities on 1 to 4 ranks in many ways,
and reads VmHWM of every rank (proc(5)) until it ends. Prints a table; exits with 1 if a run took more than it may.
Needs mpirun and GDAL's utilities.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

MB = 1 << 20
ALL = (1, 2, 3, 4)


def peak_of(pid):
    """VmHWM of a process in bytes; 0 if it is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def ranks_below(pid, program):
    """The processes of a program among the descendants of a process, itself included."""
    found, open_ = [], [pid]
    while open_:
        process = open_.pop()
        try:
            name = pathlib.Path(f"/proc/{process}/comm").read_text().strip()
            for task in os.listdir(f"/proc/{process}/task"):
                children = pathlib.Path(f"/proc/{process}/task/{task}/children").read_text()
                open_ += [int(child) for child in children.split()]
        except OSError:
            continue
        if name == program[:15]:
            found.append(process)
    return found


def run(command, program):
    """Runs a command. Returns the peak of each process of `program` in it."""
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    peaks = {}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for rank in ranks_below(process.pid, program):
                peaks[rank] = max(peaks.get(rank, 0), peak_of(rank))
            time.sleep(0.02)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}")
    return list(peaks.values())


class Bench:
    def __init__(self, bin_folder, work):
        self.bin = pathlib.Path(bin_folder)
        self.work = pathlib.Path(work)

    def tool(self, name):
        return str(self.bin / name)

    def make_long(self):
        """1000 dates of 256 x 256 pixels, chunks of all dates."""
        path = self.work / "long.h5"
        subprocess.run([self.tool("rastertide_simulate"), "-q", "-n_dates", "1000", "-outsize", "256", "256", "-o", path],
                       check=True)
        return path

    def make_wide(self):
        """12 dates of 20,000 x 20,000 pixels, all but 1500 x 1200 of them nodata and not in the files."""
        small, wide = self.work / "small", self.work / "wide"
        subprocess.run([self.tool("rastertide_simulate"), "-q", "-n_dates", "12", "-outsize", "1500", "1200", "-o", small],
                       check=True)
        wide.mkdir()
        for scene in sorted(small.glob("*.tif")):
            info = json.loads(subprocess.check_output(["gdalinfo", "-json", scene]))
            x, size_x, _, y, _, size_y = info["geoTransform"]
            left, top = x - 9000 * size_x, y - 9000 * size_y
            extent = [left, top + 20000 * size_y, left + 20000 * size_x, top]
            subprocess.run(["gdalwarp", "-q", "-te", *map(str, extent), "-tr", str(size_x), str(-size_y), "-dstnodata", "nan",
                            "-co", "SPARSE_OK=TRUE", "-co", "TILED=YES", scene, wide / scene.name], check=True)
        return wide

    def measure(self, stack_name, stack, case):
        utility, options, ranks, limit_mb = case
        for n_ranks in ranks:
            out = self.work / "out"
            shutil.rmtree(out, ignore_errors=True)
            launcher = ["mpirun", "--oversubscribe", "-n", str(n_ranks)] if n_ranks > 1 else []
            command = [*launcher, self.tool(utility), "-q", "-mem", f"{limit_mb}MB", *options, "-o", str(out), str(stack)]
            peaks = run(command, utility)
            summary = json.loads((out / "summary.json").read_text())
            stages = {name: stage["peak_memory_bytes"] for name, stage in summary["stages"].items()}
            # The rank that says so had it at its end, which the last look may have missed.
            largest = max(max(peaks), summary["peak_memory_bytes"])
            yield {"stack": stack_name, "utility": utility, "options": " ".join(options).replace("|", "\\|"), "ranks": n_ranks,
                   "limit": limit_mb, "sum": sum(peaks), "largest": largest, "tiles": summary["tiles"],
                   "peak_stage": min(name for name in stages if stages[name] == max(stages.values())),
                   "seconds": summary["seconds"]}


# utility, options, ranks, -mem in MB. K-Means holds its sample on every rank.
LONG_CASES = [
    ("rastertide_lof", [], ALL, 1024),
    ("rastertide_lof", ["-of", "GTiff"], ALL, 1024),
    ("rastertide_lof", ["-of", "HDF5", "-ot", "Float64", "-threshold", "quantile:0.99"], ALL, 1024),
    ("rastertide_kmeans", ["-k", "8", "-max_iter", "3"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "80", "-max_iter", "2"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "2:5", "-max_iter", "3"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "8", "-init", "kmeans||", "-max_iter", "2"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "8", "-init", "kmeans++", "-max_iter", "2"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "8", "-algorithm", "batch-parallel", "-max_iter", "3"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "8", "-algorithm", "minibatch", "-max_iter", "3"], ALL, 4096),
    ("rastertide_kmeans", ["-k", "8", "-features", "time", "-max_iter", "3"], ALL, 4096),
]
WIDE_CASES = [
    ("rastertide_lof", ["-neighbors", "5"], ALL, 1024),
    ("rastertide_lof", ["-neighbors", "5", "-align", "union", "-tr", "20", "20", "-r", "average"], ALL, 1024),
    ("rastertide_kmeans", ["-k", "8", "-max_iter", "2"], ALL, 4096),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of the utilities")
    parser.add_argument("--work", help="folder for stacks and results (default: a temporary one)")
    parser.add_argument("--only", default="", help="runs whose stack, utility or options hold this text")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work, prefix="memory_") as work:
        bench = Bench(arguments.bin, work)
        print("| stack | run | -mem, MB | ranks | all ranks, MB | largest rank, MB | its peak came in | tiles | seconds |")
        print("|---|---|---|---|---|---|---|---|---|")
        failed = False
        for name, make, cases in (("1000 dates", bench.make_long, LONG_CASES),
                                  ("20,000 x 20,000", bench.make_wide, WIDE_CASES)):
            wanted = [case for case in cases if arguments.only in " ".join([name, case[0], *case[1]])]
            stack = make() if wanted else None
            for case in wanted:
                for row in bench.measure(name, stack, case):
                    over = row["sum"] > row["limit"] * MB
                    failed = failed or over
                    print(f"| {row['stack']} | `{row['utility'][11:]} {row['options']}` | {row['limit']} | {row['ranks']} | "
                          f"{row['sum'] / MB:.0f}{' (over)' if over else ''} | {row['largest'] / MB:.0f} | {row['peak_stage']} | "
                          f"{row['tiles']} | {row['seconds']:.0f} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
