#!/usr/bin/env python3
"""CPU and memory of whole runs of lbaudit, as ratios that can be compared between machines.

    cargo build --release && scripts/measure.py [FILE…]

Measures on generated files (`benches/pipeline`), and on the FILEs named. Prints the CPU of `check` and the peak of
memory beside the size of the file; then a small file beside an empty process, and 2,000 files with one and two
threads. The fastest of several runs counts. Needs Python 3 alone. For CPU beside the floor: `cargo bench`.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LBAUDIT = ROOT / "target/release/lbaudit"
SMALL = ROOT / "fixtures/incidents/2023-11-10-one-server-drowns/haproxy/after.cfg"


def run(arguments, rounds=5, threads=None):
    """The least CPU and wall seconds, and the peak of memory in bytes, of `rounds` runs."""
    environment = dict(os.environ)
    if threads:
        environment["RAYON_NUM_THREADS"] = str(threads)
    cpu, wall, memory = [], [], []
    for _ in range(rounds):
        start = time.perf_counter()
        child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        _, _, usage = os.wait4(child.pid, 0)
        wall.append(time.perf_counter() - start)
        child.returncode = 0
        cpu.append(usage.ru_utime + usage.ru_stime)
        memory.append(usage.ru_maxrss * 1024)
    return min(cpu), min(wall), max(memory)


def large_files(folder):
    environment = dict(os.environ, LBAUDIT_GENERATE=str(folder))
    subprocess.run(["cargo", "bench", "-q", "--bench", "pipeline"], cwd=ROOT, env=environment, check=True)
    return sorted(folder.iterdir())


def measure_file(path):
    size = path.stat().st_size
    cpu, _, memory = run([LBAUDIT, "check", path])
    limit = 8 * size + 8 * 2**20
    line = f"{path.name:<24} {size:>10} bytes  check {cpu * 1e3:8.1f} ms of CPU"
    # A child begins with the peak of its parent, this interpreter, which is more than small files take.
    if size > 2**20:
        line += f"  memory {memory / 2**20:7.1f} MB, {memory / limit:.2f} of 8 x size + 8 MB"
    print(line)


def measure_start():
    empty = run(["/bin/true"], 40)
    small = run([LBAUDIT, "check", SMALL], 40)
    print(f"small file: {(small[1] - empty[1]) * 1e3:.2f} ms longer than an empty process")


def measure_fleet(folder):
    for number in range(2000):
        shutil.copy(SMALL, folder / f"host-{number}.cfg")
    one = run([LBAUDIT, "check", folder], 3, threads=1)
    two = run([LBAUDIT, "check", folder], 3, threads=2)
    print(f"2,000 files: {one[0]:.2f} s of CPU; two threads take {two[1] / one[1]:.2f} of the time of one")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "large").mkdir()
        for path in large_files(folder / "large") + [Path(argument) for argument in sys.argv[1:]]:
            measure_file(path)
        measure_start()
        (folder / "fleet").mkdir()
        measure_fleet(folder / "fleet")


if __name__ == "__main__":
    main()
