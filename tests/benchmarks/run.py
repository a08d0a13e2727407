"""What one request costs, beside raw ASGI and WSGI applications and other frameworks.

The method is in docs/design/performance. Run it with ``nox -s bench``. Microseconds hold only
beside others of the same run.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

from parts import PARTS, Results  # beside this file, which is run as a script

PACKAGES = [
    *("kolben", "starlette", "falcon", "blacksheep", "flask", "bottle"),
    *("quart", "a2wsgi", "gunicorn"),
]


def measure(part: str, share: float) -> Results:
    """The figures of a part; in a process of its own, where nothing of another part runs on."""
    return PARTS[part].measure(share)


def table(results: Results) -> str:
    """The figures as Markdown."""
    columns = list(dict.fromkeys(name for row in results.values() for name in row.names))
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    for name, row in results.items():
        lines.append(f"| {name} | {' | '.join(row.cell(column) for column in columns)} |")
    return "\n".join(lines)


def main() -> int:
    """Measure, print and, when asked to, judge."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--share", type=float, default=1, help="of the usual number of bursts")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures to a file")
    parser.add_argument("--check", action="store_true", help="fail if a budget is broken")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    made_with = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    record, broken = {}, []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as processes:
        for name in arguments.parts or PARTS:
            part = PARTS[name]
            results = processes.submit(measure, name, arguments.share).result()
            print(f"### {part.title}\n\n{table(results)}\n", flush=True)
            record[name] = {row: figures.record() for row, figures in results.items()}
            broken += [f"{part.title}: {fault}" for fault in part.broken(results)]
    print(
        "The least of all bursts; in brackets the median of how many times the first column's,"
        " burst by burst, and where the middle half of them lies."
    )
    print(", ".join(f"{name} {number}" for name, number in made_with.items()))
    if arguments.json:
        content = {"versions": made_with, "parts": record}
        arguments.json.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    for line in broken:
        print(f"budget broken: {line}", file=sys.stderr)
    return 1 if broken and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
