# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that must hold: format, lint, types, then the tests (--static: without them)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ("ruff format --check", "ruff check", "mypy")


def main(arguments: list[str]) -> None:
    unhappy = [tool for tool in STATIC if run(*tool.split())]
    if unhappy:
        sys.exit(f"to mend, see above: {', '.join(unhappy)}")
    if arguments != ["--static"]:
        sys.exit(run("pytest", *arguments))


def run(module: str, *arguments: str) -> int:
    print(f"check: {module} {' '.join(arguments)}", file=sys.stderr, flush=True)
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT).returncode


if __name__ == "__main__":
    main(sys.argv[1:])
