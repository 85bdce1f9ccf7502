# SPDX-License-Identifier: Apache-2.0
"""Programs in turn on one core, and the medians of what they took."""
import os

# Before any library reads it: one thread each, on one core.
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import importlib  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402


def module(name):
    """A library, or None with a word on stderr: what is not installed is not compared."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        print(f"{name}: not installed ({error}): left out", file=sys.stderr)
        return None


def in_turn(cases, repeats):
    """Calls every case `repeats` times in turn. Returns each one's results; one that fails is left out with its error."""
    results = {name: [] for name in cases}
    failed = {}
    for _ in range(repeats):
        for name, case in cases.items():
            if name in failed:
                continue
            try:
                results[name].append(case())
            except Exception as error:  # noqa: BLE001  whatever a peer throws is a line of the table
                failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:150]}"
    for name, text in failed.items():
        print(f"{name}: {text}", file=sys.stderr)
    return {name: values for name, values in results.items() if name not in failed}


def spread(values, digits=2):
    """The median, and the least and largest beside it."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
