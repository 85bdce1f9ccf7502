# SPDX-License-Identifier: Apache-2.0
"""Results as tables in Markdown."""
from fractions import Fraction

MB = 1 << 20
# Columns of the paper, and what they are made of. Reading and writing run beside the rest.
STAGES = {
    "lof": {"load": ["open", "read"], "LOF": ["lof"], "statistics": ["statistics"], "anomalies": ["read_scores", "anomalies"],
            "write": ["write_scores", "write_masks", "products"]},
    "kmeans": {"load": ["open", "read", "statistics"], "fit": ["sample", "start", "iterate"], "predict": ["label"],
               "write": ["write_labels", "products"]},
}
STAGES["elbow"] = STAGES["kmeans"]
TITLES = {"lof": "LOF", "kmeans": "K-Means", "elbow": "K-Means over a range of K"}
# What must not depend on ranks, threads or the format of the input.
SAME = {"lof": ["scores", "mean", "std", "anomalies"], "kmeans": ["patches", "energy", "iterations"], "elbow": ["elbow", "knee"]}


def stage_seconds(run):
    return {name: sum(run["stages"].get(stage, 0) for stage in stages) for name, stages in STAGES[run["job"]].items()}


def order(run):
    return Fraction(run["fraction"]), run["input"], run["ranks"] * run["threads"], run["ranks"]


def one_core(runs, run, fraction):
    """The run of the same job on one rank with one thread, at another fraction."""
    for other in runs:
        if (other["job"], other["input"], other["ranks"], other["threads"]) == (run["job"], run["input"], 1, 1):
            if Fraction(other["fraction"]) == fraction:
                return other
    return None


def whole(run):
    return run["wall_seconds"]


def of_an_iteration(run):
    return run["stages"]["iterate"] / max(1, run["iterations"])


def ratio(reference, run, seconds, factor=1):
    return f"{seconds(reference) / seconds(run) * factor:.2f}" if reference else ""


def efficiency(runs, run):
    """Weak: one core at 1/n of the width against n cores. Strong: one core at the same width, divided by n."""
    cores, fraction = run["ranks"] * run["threads"], Fraction(run["fraction"])
    if cores == 1:
        return "1", "1"
    # Another part of the scene takes another number of iterations.
    weak = of_an_iteration if run["job"] == "kmeans" else whole
    return ratio(one_core(runs, run, fraction / cores), run, weak), ratio(one_core(runs, run, fraction), run, whole, 1 / cores)


def findings(run):
    if run["job"] == "lof":
        return f"{run['anomalies']:,} anomalies"
    if run["job"] == "elbow":
        return f"{run['patches']:,} patches, {'knee at ' + str(run['knee']) if run['knee'] else 'no knee'}"
    return f"energy {run['energy']:.6g}, {run['iterations']} iterations of {of_an_iteration(run):.3g} s"


def row_of(runs, run):
    patches = run.get("scores") or run.get("patches") or 0
    cells = [run["fraction"], str(run["cols"]), run["input"], f"{run['ranks']} x {run['threads']}",
             *(f"{seconds:.1f}" for seconds in stage_seconds(run).values()),
             f"{run['wall_seconds']:.1f}", f"{patches / run['wall_seconds'] / 1e6:.2f}", *efficiency(runs, run),
             ", ".join(f"{peak / MB:.0f}" for peak in run["peak_bytes"]), findings(run)]
    return "| " + " | ".join(cells) + " |"


def differences(runs):
    """Lines on runs of one fraction that found different things."""
    lines = []
    for fraction in sorted({run["fraction"] for run in runs}, key=Fraction):
        same = [run for run in runs if run["fraction"] == fraction]
        for name in SAME[same[0]["job"]]:
            if any(run[name] != same[0][name] for run in same):
                lines.append(f"{fraction}: `{name}` differs between runs")
    return lines


def table_of(job, runs):
    runs = sorted((run for run in runs if run["job"] == job), key=order)
    if not runs:
        return []
    head = ["width", "columns", "input", "ranks x threads", *(f"{name}, s" for name in STAGES[job]), "whole, s", "M patches/s",
            "weak", "strong", "peak of each rank, MB", "found"]
    return [f"## {TITLES[job]}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head),
            *(row_of(runs, run) for run in runs), "", *(differences(runs) or ["Runs of one width found the same."]), ""]


def text_of(results):
    settings, machine = results["settings"], results["machine"]
    cols, rows = settings["size"]
    return "\n".join([
        f"# {settings['dates']} scenes of {rows} x {cols} pixels", "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; {results['software']}; {results['date']}. "
        f"`-mem {settings['mem']}`, LOF `{settings['lof_options']}`, K-Means `{settings['kmeans_options']}`; "
        "each run began with its input out of the system's cache.", "",
        "Stages are those of the slowest rank. Reading and writing run beside the rest: stages add up to more than the whole, "
        "which is from the launcher's start to its end.",
        "*weak*: seconds of one core at 1/n of the width, divided by those of n cores (K-Means: seconds of an iteration); "
        "*strong*: those of one core at the same width, divided by n times those of n cores. Empty where there is no such run.", "",
        *(line for job in STAGES for line in table_of(job, results["runs"]))])
