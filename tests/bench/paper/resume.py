#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether a LOF run that is killed half way and resumed writes what an undisturbed one writes, byte for byte.

    tests/bench/paper/resume.py --bin build/release/bin --work FOLDER [--ranks 2] STACK [-- OPTIONS OF rastertide_lof]

Runs once in peace and keeps the SHA-256 of each file, then runs again, kills the launcher and all ranks (SIGKILL) when --at of
the tiles are done, resumes, and compares. One OUTDIR is there at a time. Of summary.json everything but times and memory must
be equal. Exits with 1 if a file differs.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import sys
import tempfile
import time

import runs

PROGRAM = "rastertide_lof"
SMALLER = "take a larger stack, smaller tiles (-- -tile W H) or a lower --at"
# What a run took, not what it found.
TOOK = ["seconds", "stages", "peak_memory_bytes"]


def digest(path):
    if path.name == "summary.json":
        summary = json.loads(path.read_text())
        return json.dumps({name: value for name, value in summary.items() if name not in TOOK})
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 22):
            sha.update(piece)
    return sha.hexdigest()


def digests(outdir):
    return {str(path.relative_to(outdir)): digest(path) for path in sorted(outdir.rglob("*")) if path.is_file()}


def shards(outdir):
    """Whole shards of scores: those under a temporary name do not count."""
    return len(list((outdir / "tiles" / "lof").glob("t_????_????.tif")))


def kill(process):
    """Kills the ranks and the launcher at once, as a lost node would. Nobody has time to tidy up."""
    ranks = runs.ranks_below(process.pid, PROGRAM)
    for pid in [*ranks, process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()
    runs.wait_for_end(ranks, 30)


def run_and_kill(command, outdir, wanted):
    """Kills a run when so many shards are there. Returns how many it had then."""
    with tempfile.TemporaryFile("w+") as errors:
        process = runs.start(command, errors)
        try:
            while process.poll() is None and shards(outdir) < wanted:
                time.sleep(0.01)
            if process.poll() is not None:
                raise runs.RunFailed(f"the run ended before it could be killed: {SMALLER}")
        finally:
            kill(process)
    return shards(outdir)


def differences(before, after):
    for name in sorted(before.keys() | after.keys()):
        if name not in after:
            yield f"{name}: missing after -resume"
        elif name not in before:
            yield f"{name}: only after -resume"
        elif before[name] != after[name]:
            yield f"{name}: differs"


def compare(command, outdir, at):
    seconds, _ = runs.launch(command)
    before, n_tiles = digests(outdir), shards(outdir)
    print(f"undisturbed: {seconds:.1f} s, {n_tiles} tiles, {len(before)} files", flush=True)
    shutil.rmtree(outdir)
    done = run_and_kill(command, outdir, max(1, round(at * n_tiles)))
    if done == n_tiles:
        raise runs.RunFailed(f"all {n_tiles} tiles were done when it was killed: {SMALLER}")
    print(f"killed with {done} of {n_tiles} tiles", flush=True)
    times = {path: path.stat().st_mtime_ns for path in (outdir / "tiles" / "lof").glob("t_????_????.tif")}
    seconds, _ = runs.launch([*command, "-resume"])
    kept = sum(path.stat().st_mtime_ns == then for path, then in times.items())
    print(f"resumed: {seconds:.1f} s, {kept} tiles were taken as they were", flush=True)
    found = list(differences(before, digests(outdir)))
    print("\n".join(found) or f"all {len(before)} files are the same", flush=True)
    return 1 if found or kept < done else 0


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    own, options = sys.argv[1:], ["-scale", "db"]
    if "--" in own:
        own, options = own[:own.index("--")], own[own.index("--") + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stack", type=pathlib.Path)
    parser.add_argument("--bin", required=True, type=pathlib.Path, help="folder of the utilities")
    parser.add_argument("--work", required=True, type=pathlib.Path, help="folder for the products")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--at", type=float, default=0.5, help="part of the tiles after which the run is killed (default: 0.5)")
    parser.add_argument("--launcher", default="mpirun --bind-to none --oversubscribe -n {ranks}", help="default: '%(default)s'")
    arguments = parser.parse_args(own)
    signal.signal(signal.SIGTERM, interrupt)
    arguments.work.mkdir(parents=True, exist_ok=True)
    outdir = pathlib.Path(tempfile.mkdtemp(dir=arguments.work, prefix="resume_")) / "out"
    launcher = [word.format(ranks=arguments.ranks) for word in shlex.split(arguments.launcher)]
    command = [*launcher, str(arguments.bin / PROGRAM), "-q", "-j", str(arguments.threads), *options, "-o", str(outdir),
               str(arguments.stack)]
    try:
        return compare(command, outdir, arguments.at)
    except runs.RunFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(outdir.parent)


if __name__ == "__main__":
    sys.exit(main())
