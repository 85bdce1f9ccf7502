#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The two jobs of IAC-24-B1-IP-117 on 363 scenes of 2100 x 5660 pixels: seconds, memory and findings over the width.

    tests/bench/paper/run.py --bin build/release/bin --work FOLDER --out FOLDER

Makes the stack, as HDF5 and as GeoTIFFs, one after the other; runs LOF (7 x 7, k = 10), K-Means (7 x 7, K = 10) and K-Means
over K = 2 to 16 on parts of its width, from the left edge. Writes results.json after each run, and at the end table.md and the
figures. Started again it goes on with the runs that results.json does not have. What it made in --work is removed, also when
it is stopped. Needs mpirun, python3-gdal, h5py and matplotlib.
"""
import argparse
import datetime
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
from fractions import Fraction

import plots
import runs
import stacks
import tables

GB = 1 << 30
WIDTHS = ["1/48", "1/24", "1/12", "1/6", "1/3", "1/2", "1"]


def part(text):
    try:
        fraction = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fraction = Fraction(0)
    if not 0 < fraction <= 1:
        raise argparse.ArgumentTypeError(f"'{text}': expected a part of the width such as 1/12, at most 1")
    return fraction


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, type=pathlib.Path, help="folder of the utilities")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for the stack and a run's products")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="folder for results.json, table.md and figures")
    parser.add_argument("--dates", type=int, default=363)
    parser.add_argument("--size", type=int, nargs=2, default=[5660, 2100], metavar=("COLS", "ROWS"))
    parser.add_argument("--fractions", type=part, nargs="+", default=[Fraction(width) for width in WIDTHS],
                        help=f"parts of the width (default: {' '.join(WIDTHS)})")
    parser.add_argument("--elbow_fraction", type=part, default=Fraction(1), help="part of the width for the job elbow (default: 1)")
    parser.add_argument("--elbow_date_step", type=int, default=12, help="every N-th date for the job elbow (default: 12): fifteen "
                        "fits of the whole width, which has sea and land, take hours with all dates")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--threads", nargs="+", choices=["fill", "one"], default=["fill"],
                        help="threads of a rank: fill = cores / ranks (default), one = 1; both for efficiencies")
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)), help="cores to fill (default: all)")
    parser.add_argument("--inputs", nargs="+", choices=["hdf5", "geotiff"], default=["hdf5", "geotiff"])
    parser.add_argument("--jobs", nargs="+", choices=["lof", "kmeans", "elbow"], default=["lof", "kmeans", "elbow"])
    parser.add_argument("--mem", default="4GB", help="-mem of the utilities (default: 4GB)")
    parser.add_argument("--lof_options", default="-scale db", help="beside -patch, -neighbors, -threshold (default: '-scale db')")
    parser.add_argument("--kmeans_options", default="-scale db", help="beside -patch and -k (default: '-scale db')")
    parser.add_argument("--launcher", default="mpirun --bind-to none --oversubscribe -n {ranks}",
                        help="default: '%(default)s'")
    parser.add_argument("--section", type=int, default=300, help="pixels each way of the enlarged parts (default: 300)")
    parser.add_argument("--again", action="store_true", help="also the runs that results.json has")
    parser.add_argument("--keep", action="store_true", help="keep the stacks and the last run's products")
    parser.add_argument("--plot_only", action="store_true", help="run nothing: tables and figures of what is there")
    return parser.parse_args()


def planned(arguments, kind):
    """The runs from one input, small ones first. The elbow is one run, from the first input, on all cores."""
    threads = {"fill": lambda ranks: max(1, arguments.cores // ranks), "one": lambda ranks: 1}
    ways = sorted({(ranks, threads[word](ranks)) for ranks in arguments.ranks for word in arguments.threads})
    plan = [runs.Run(job, fraction, kind, *way) for fraction in sorted(arguments.fractions)
            for job in arguments.jobs if job != "elbow" for way in ways]
    if "elbow" in arguments.jobs and kind == arguments.inputs[0]:
        plan.append(runs.Run("elbow", arguments.elbow_fraction, kind, max(arguments.ranks), ways[-1][1]))
    return plan


def check_disk(arguments, plans, work, settings):
    """Says what the disk needs, and ends here if it has less."""
    dates, (cols, rows) = arguments.dates, arguments.size
    paths = [stacks.path_of(kind, work) for kind in plans]
    missing = [0 if stacks.is_whole(path, stack_settings(settings)) else stacks.stack_bytes(dates, cols, rows) for path in paths]
    stack = sum(missing) if arguments.keep else max(missing)
    outdir = max(stacks.outdir_bytes(run.job, dates, run.cols(cols), rows) for plan in plans.values() for run in plan)
    free = shutil.disk_usage(work).free
    text = f"{(stack + outdir) / GB:.3g} GB (stack {stack / GB:.3g}, products {outdir / GB:.3g})"
    print(f"disk: needs {text} in '{arguments.work}', which has {free / GB:.3g} GB free", flush=True)
    if stack + outdir > free:
        raise SystemExit(f"'{arguments.work}': {free / GB:.3g} GB free, expected at least {text}; "
                         "take another --work, or smaller --fractions, --dates or --size")


def settings_of(arguments):
    names = ["dates", "size", "mem", "lof_options", "kmeans_options", "elbow_date_step", "launcher", "section"]
    return {name: getattr(arguments, name) for name in names}


def stack_settings(settings):
    return {name: settings[name] for name in ("dates", "size")}


def machine_of(cores):
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {"cpu": cpu.group(1) if cpu else "unknown", "cores": cores, "memory_gb": round(int(memory.group(1)) / (1 << 20), 1)}


class Results:
    """results.json: read when the bench starts, written after each run."""

    def __init__(self, arguments):
        self.path = arguments.out / "results.json"
        settings = settings_of(arguments)
        if self.path.exists():
            self.values = json.loads(self.path.read_text())
            for name, value in settings.items():
                before = self.values["settings"].get(name)
                if before != value:
                    raise SystemExit(f"'{self.path}': --{name} was {before}, is {value} now; take another --out")
        else:
            version = subprocess.check_output([arguments.bin / "rastertide_lof", "--version"], text=True).strip()
            self.values = {"software": version, "date": datetime.date.today().isoformat(), "machine": machine_of(arguments.cores),
                           "settings": settings, "runs": []}

    def has(self, run):
        return any(found["key"] == run.key() for found in self.values["runs"])

    def add(self, entry):
        self.values["runs"] = [run for run in self.values["runs"] if run["key"] != entry["key"]] + [entry]
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(self.values, indent=1))
        part.replace(self.path)


def run_input(arguments, kind, plan, work, results):
    """All runs from one input. Returns how many failed."""
    stack, outdir, failed = stacks.path_of(kind, work), work / "out", 0
    settings = results.values["settings"]
    try:
        print(f"making {stack.name}", flush=True)
        stacks.make(stack, stack_settings(settings), arguments.bin / "rastertide_simulate", runs.launch)
        for run in plan:
            try:
                entry = runs.measure(run, stack, outdir, settings, arguments.bin, arguments.out / "products")
                results.add(entry)
                print(f"{run.key()}: {entry['wall_seconds']:.1f} s, {tables.findings(entry)}", flush=True)
            except runs.RunFailed as error:
                failed += 1
                print(f"error: {run.key()}: {error}", file=sys.stderr, flush=True)
            if not arguments.keep:
                shutil.rmtree(outdir, ignore_errors=True)
    finally:
        with runs.undisturbed():
            if not arguments.keep:
                shutil.rmtree(outdir, ignore_errors=True)
                stacks.remove(stack)
    return failed


def run_all(arguments, results):
    plans = {kind: [run for run in planned(arguments, kind) if arguments.again or not results.has(run)]
             for kind in arguments.inputs}
    plans = {kind: plan for kind, plan in plans.items() if plan}
    if not plans:
        print("results.json has all of these runs", flush=True)
        return 0
    # A folder of its own: whatever else --work holds is never touched.
    work = arguments.work / "rastertide_paper"
    work.mkdir(parents=True, exist_ok=True)
    lock = os.open(work, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SystemExit(f"'{arguments.work}': another bench is at work there, take another --work") from None
    # A bench that was killed (SIGKILL) may have left its products.
    shutil.rmtree(work / "out", ignore_errors=True)
    try:
        check_disk(arguments, plans, work, results.values["settings"])
        return sum(run_input(arguments, kind, plan, work, results) for kind, plan in plans.items())
    finally:
        if not any(work.iterdir()):
            work.rmdir()


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    arguments = arguments_of()
    arguments.bin, arguments.work, arguments.out = (path.resolve() for path in (arguments.bin, arguments.work, arguments.out))
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup SIGHUP is ignored, and stays so.
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)
    for name in ("rastertide_simulate", "rastertide_lof", "rastertide_kmeans"):
        if not os.access(arguments.bin / name, os.X_OK):
            sys.exit(f"'{arguments.bin / name}': no such program, see --bin")
    arguments.out.mkdir(parents=True, exist_ok=True)
    results = Results(arguments)
    failed, stopped = 0, False
    try:
        failed = 0 if arguments.plot_only else run_all(arguments, results)
    except KeyboardInterrupt:
        stopped = True
    except runs.RunFailed as error:
        sys.exit(f"error: {error}")
    if results.values["runs"]:
        (arguments.out / "table.md").write_text(tables.text_of(results.values))
        plots.plot_all(results.values, arguments.out)
    if stopped:
        print("stopped; the same command goes on", file=sys.stderr)
        return 130
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
