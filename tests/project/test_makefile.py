"""The Makefile finds a Python that really works, on machines where the first of that name does not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project.supervisor import HOME

BROKEN = 'echo "command not found" >&2; exit 127'  # a shim of a version manager, without the version
TOO_OLD = "exit 1"
GOOD = f'exec {sys.executable} "$@"'


def find_python(folder: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """`make python` on a machine that has these programs and no other."""
    for name, body in programs.items():
        program = folder / name.replace("_", ".")
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    make = shutil.which("make")
    assert make is not None, "make is needed to work on crmsync"
    return subprocess.run(
        [make, "-s", "python"], cwd=HOME, env={"PATH": str(folder)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("programs", "found"),
    [
        ({"python3_13": GOOD, "python3": GOOD}, "python3.13"),
        ({"python3_13": BROKEN, "python3_12": GOOD}, "python3.12"),
        ({"python3_11": TOO_OLD, "python3": GOOD}, "python3"),
    ],
)
def test_the_first_python_that_works_is_found(tmp_path: Path, programs: dict[str, str], found: str) -> None:
    answer = find_python(tmp_path, **programs)
    assert (answer.returncode, answer.stdout) == (0, f"{tmp_path / found}\n")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    answer = find_python(tmp_path, python3=TOO_OLD)
    assert answer.returncode != 0
    assert "Python 3.11 or newer" in answer.stderr
    assert "PYTHON=/path/to/python3" in answer.stderr
