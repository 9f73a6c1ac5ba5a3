"""Measurements in turns, every subject in a process: a slow minute hits all alike."""

import json
import resource
import statistics
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def interleave(commands, repeats, progress=lambda line: print(line, file=sys.stderr, flush=True)):
    """Run each command ``repeats`` times, in turns (A B C A B C ...).

    Returns {name: [what it printed as JSON, ...]}.  A command is a list of arguments
    for this Python.  One that fails is left out, with its last line.
    """
    results = {name: [] for name in commands}
    for turn in range(repeats):
        for name, command in commands.items():
            if results[name] is None:
                continue
            done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)
            if done.returncode:
                progress(f"  {name} is left out: {(done.stderr.strip() or 'no message').splitlines()[-1]}")
                results[name] = None
            else:
                results[name].append(json.loads(done.stdout.splitlines()[-1]))
                progress(f"  turn {turn + 1}, {name}: {results[name][-1].get('seconds', 0):.5g} s")
    return {name: result for name, result in results.items() if result}


def summary(results, key):
    """The median of a figure over the turns, and its lowest and highest value."""
    values = [result[key] for result in results]
    return statistics.median(values), min(values), max(values)


def report(**figures):
    """A subject's last line: its figures and its peak memory in MB, as JSON."""
    print(json.dumps(figures | {"peak_memory_mb": round(peak_memory_mb())}))


def peak_memory_mb():
    """The most memory this process had; on Linux ru_maxrss starts at its parent's."""
    try:
        return int(Path("/proc/self/status").read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def median_seconds(step, count, warm_up):
    """The median time of ``count`` calls of step(k), after some that do not count."""
    import time

    seconds = []
    for k in range(warm_up + count):
        started = time.perf_counter()
        step(k)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[warm_up:])
