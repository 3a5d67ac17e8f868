"""The documents say what the code does: what they name is compared with it, links are followed, examples are run."""

import ast
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from crmsync import conf
from crmsync.engine import edgewaits, terms
from crmsync.ledger import credentials
from crmsync.models import Credential, Portal

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
COMMANDS = {name for name, app in get_commands().items() if app == "crmsync"}
# Names in the documents that look like a command and are none.
NO_COMMANDS = {"crmsync_key", "crmsync_contract"}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_of(text: str, heading: str = "") -> list[list[str]]:
    """The cells of all table rows behind a heading, without the tables' own heads."""
    text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else text
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row] for row in rows]


def codes_in(cells: list[list[str]]) -> set[str]:
    return {row[0].strip("`") for row in cells}


def source() -> str:
    files = [path for path in (ROOT / "crmsync").rglob("*.py") if "fakehub" not in path.parts]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def blocks(text: str, language: str) -> list[str]:
    """The code blocks of a language, as they stand."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", body, flags=re.MULTILINE) for indent, body in found]


# --- Settings -----------------------------------------------------------------------------------------------------


def documented_settings() -> dict[str, object]:
    """Key -> default, as the README's table has them."""
    begin, end = "<!-- settings", "<!-- /settings -->"
    section = read("README.md").partition(begin)[2].partition(end)[0]
    return {key.strip("`"): ast.literal_eval(default.strip("`")) for key, default, *_ in table_of(section)}


def test_the_settings_table_has_every_key_and_its_default() -> None:
    """In the order of conf.py, so that a new key has one place."""
    options = conf.Options()
    real = {one.name: getattr(options, one.name) for one in fields(options)}
    shown = documented_settings()
    assert shown == real
    assert list(shown) == list(real)
    assert {key: type(value) for key, value in shown.items()} == {key: type(value) for key, value in real.items()}


def test_every_setting_that_is_named_exists() -> None:
    """CRMSYNC["X"] in any document is a key of conf.py."""
    known = {one.name for one in fields(conf.Options)}
    for path in DOCUMENTS:
        named = set(re.findall(r"""CRMSYNC\[["'](\w+)["']\]""", path.read_text(encoding="utf-8")))
        assert named <= known, path.name


# --- Commands -----------------------------------------------------------------------------------------------------


def named_commands() -> Iterator[tuple[Path, str]]:
    for path in DOCUMENTS:
        for name in re.findall(r"\bcrmsync_[a-z_]+\b", path.read_text(encoding="utf-8")):
            yield path, name


def test_every_command_that_is_named_exists() -> None:
    wrong = {f"{path.name}: {name}" for path, name in named_commands() if name not in COMMANDS | NO_COMMANDS}
    assert not wrong


def test_every_command_is_named_in_the_readme() -> None:
    assert {name for path, name in named_commands() if path.name == "README.md"} >= COMMANDS


# --- Problems -----------------------------------------------------------------------------------------------------


def test_every_problem_code_is_described() -> None:
    """Codes are texts such as "portal.reauth"; those of fields are made of the engine's problems."""
    prefixes = "portal|mapping|canary|record|remote|local|field|system|webhook"
    real = set(re.findall(rf"""["']((?:{prefixes})\.[a-z_]+)["']""", source()))
    notes = (terms.Problem.DIRECTION, terms.Problem.MOVEMENT)
    real |= {f"field.{one.value}" for one in terms.Problem if one not in notes}
    text = read("docs/problems.md")
    headings = ("The portal", "The mapping", "The installation", "One record", "One field")
    assert set().union(*(codes_in(table_of(text, heading)) for heading in headings)) == real


def test_every_reason_why_an_association_is_held_is_described() -> None:
    described = codes_in(table_of(read("docs/problems.md"), "One association"))
    assert described == {one.value for one in terms.EdgeProblem}


def test_every_reason_why_an_association_waits_is_described() -> None:
    described = codes_in(table_of(read("docs/problems.md"), "An association that waits"))
    names = ("NOT_LIVE", "ONE_WAY", "NOT_MADE", "KEPT_OUT", "FAILED")
    assert described == {getattr(edgewaits, name) for name in names}


def test_every_reason_is_described() -> None:
    described = codes_in(table_of(read("docs/problems.md"), "Reasons that are no problems"))
    assert described == {one.value for one in terms.Reason} | {"by_hand"}


def test_every_system_check_is_described() -> None:
    real = set(re.findall(r'"(crmsync\.[EWI]\d{3})"', (ROOT / "crmsync" / "checks.py").read_text(encoding="utf-8")))
    assert codes_in(table_of(read("docs/problems.md"), "System checks")) == real


# --- Links and code -----------------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    text = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Files exist, and so do the headings that are pointed to; other sites are not asked."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_python_in_the_documents_is_python(path: Path) -> None:
    for code in blocks(path.read_text(encoding="utf-8"), "python"):
        compile(code, path.name, "exec")


@pytest.mark.django_db
def test_the_monitoring_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/operations.md: what to watch."""
    (code,) = blocks(read("docs/operations.md"), "python")
    exec(compile(code, "operations.md", "exec"), {})
    assert "not connected" in capsys.readouterr().out


@pytest.mark.django_db
def test_the_key_rotation_works(settings) -> None:
    """docs/security.md: after its command a secret is readable with the new key alone."""
    portal = Portal.objects.create(label="Rotated")
    Credential.objects.create(portal=portal, token="pat-na1-secret", client_secret="client")
    (command,) = re.findall(r"python manage\.py (crmsync_rotate_keys)$", read("docs/security.md"), re.MULTILINE)
    with encrypted_with(settings, ["new", *settings.FERNET_KEYS]):
        call_command(command, verbosity=0)
    with encrypted_with(settings, ["new"]):
        stored = Credential.objects.get()
    assert (stored.token, stored.client_secret) == ("pat-na1-secret", "client")


@contextmanager
def encrypted_with(settings, keys: list[str]) -> Iterator[None]:
    """FERNET_KEYS for a while."""
    before = settings.FERNET_KEYS
    use_keys(settings, keys)
    try:
        yield
    finally:
        use_keys(settings, before)


def use_keys(settings, keys: list[str]) -> None:
    """A process reads its keys once, so what the columns remember of them is forgotten."""
    settings.FERNET_KEYS = keys
    for name, cached in itertools.product(credentials.SECRETS, ("keys", "fernet_keys", "fernet")):
        vars(Credential._meta.get_field(name)).pop(cached, None)


def test_the_testing_examples_run(tmp_path: Path) -> None:
    """docs/testing.md: its files, as a host would have them, in a pytest of their own on SQLite."""
    for code in blocks(read("docs/testing.md"), "python"):
        if name := re.match(r"# (\w+\.py)\n", code):
            (tmp_path / name[1]).write_text(code, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = test_*.py\nfilterwarnings = error\n")
    assert {path.name for path in tmp_path.glob("*.py")} == {"conftest.py", "test_crm.py", "test_case.py"}
    services = ("DATABASE_URL", "REDIS_URL", "TEST_DATABASE_NAME")
    env = {name: value for name, value in os.environ.items() if name not in services and "PYTEST" not in name}
    env |= {"DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pytest.ini", "--rootdir", "."],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^6 passed", done.stdout, flags=re.MULTILINE), done.stdout
