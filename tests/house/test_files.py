"""Files are small and say in one sentence what lives in them; here every one of them is asked."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("crmsync", "project", "benchmarks", "tests")
MOST_LINES = 300
MOST_LINES_OF_TESTS = 640  # a long list of cases is one file as long as its theme is one
NO_NAMES = ("utils", "helpers", "common", "misc", "base", "core", "services", "managers", "handlers")


def files(*rooms: str) -> dict[str, str]:
    """Path -> text of all Python files that people write; an empty ``__init__.py`` is none."""
    found = (path for room in rooms for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in found}
    return {path: text for path, text in texts.items() if text.strip()}


def find_long(texts: dict[str, str], most: int) -> dict[str, int]:
    return {path: count for path, text in texts.items() if (count := len(text.splitlines())) > most}


def find_silent(texts: dict[str, str]) -> list[str]:
    """Files that do not begin with a sentence."""
    said = {path: (ast.get_docstring(ast.parse(text)) or "").partition("\n\n")[0] for path, text in texts.items()}
    return [path for path, first in said.items() if not first.strip() or first.strip()[-1] not in ".?:"]


def test_every_file_begins_with_its_sentence() -> None:
    assert find_silent(files(*ROOMS)) == []


def test_no_file_is_longer_than_one_theme_needs() -> None:
    assert find_long(files("crmsync", "project", "benchmarks"), MOST_LINES) == {}
    assert find_long(files("tests"), MOST_LINES_OF_TESTS) == {}


def test_no_file_has_a_name_that_would_hold_anything() -> None:
    named = {part for path in files(*ROOMS) for part in Path(path).with_suffix("").parts}
    assert named.isdisjoint(NO_NAMES)


def test_what_breaks_these_rules_is_found() -> None:
    texts = {"good.py": '"""Says it."""\n', "silent.py": "x = 1\n", "no_sentence.py": '"""Words"""\n'}
    assert find_silent(texts) == ["silent.py", "no_sentence.py"]
    assert find_long({"long.py": "x = 1\n" * (MOST_LINES + 1)}, MOST_LINES) == {"long.py": MOST_LINES + 1}
