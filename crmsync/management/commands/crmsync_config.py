"""``manage.py crmsync_config``: mappings as a file: write it, compare it, plan it, apply it."""

import dataclasses
import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from crmsync.engine import config, configdiff
from crmsync.flows import configure, prepare
from crmsync.models import Portal


class Command(BaseCommand):
    """Exit codes: 0 done or nothing to do, 1 error and nothing was changed, 3 where plan or diff found something."""

    help = "Export mappings to a file, show what the file would change (plan), change it (apply), or compare (diff)."

    def add_arguments(self, parser) -> None:
        parser.add_argument("verb", choices=["export", "plan", "apply", "diff"])
        parser.add_argument("file", help="A JSON file; - is standard input or output.")
        parser.add_argument("--portal", help="The portal's name; may be left out where there is only one.")
        parser.add_argument(
            "--mapping", action="append", default=[], help="Only this mapping of the file; repeatable."
        )
        parser.add_argument("--suffix", default="", help="What the portal's mappings have behind the file's names.")
        parser.add_argument("--prune", action="store_true", help="Delete mappings that the file does not have.")
        parser.add_argument(
            "--create-properties",
            action="store_true",
            help="With plan and apply: properties that fields are sent to and HubSpot lacks are created there first.",
        )
        lock = parser.add_mutually_exclusive_group()
        lock.add_argument("--lock", action="store_true", help="Keep them in this file: the admin only shows them.")
        lock.add_argument("--unlock", action="store_true", help="Let the admin edit them again.")
        parser.add_argument("--json", action="store_true", help="Print what changes as JSON.")

    def handle(self, *args, verb: str, file: str, **options) -> None:
        portal, chosen = _portal(options["portal"]), _options(file, options)
        try:
            if verb == "export":
                self._export(portal, file, chosen)
            elif verb == "diff":
                self._diff(configure.diff(portal, _read(file), chosen), as_json=options["json"])
            else:
                work = prepare.apply if verb == "apply" else configure.make_plan
                self._show(work(portal, _read(file), chosen), verb, as_json=options["json"])
        except config.ConfigError as error:
            self._refuse(error, as_json=options["json"])

    def _export(self, portal: Portal, file: str, chosen: configure.Options) -> None:
        made = configure.export(portal, chosen)
        for warning in made.warnings:
            self.stderr.write(f"Note: {warning}")
        if file == "-":
            self.stdout.write(made.text, ending="")
            return
        try:
            Path(file).write_text(made.text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise CommandError(f"The file {file} cannot be written ({error.strerror}).") from error

    def _diff(self, lines: list[str], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps({"lines": lines}, ensure_ascii=False))
        elif lines:
            self.stdout.write("\n".join(lines))
        if lines:
            sys.exit(3)

    def _show(self, plan: configure.Plan, verb: str, *, as_json: bool) -> None:
        if as_json:
            changes = [dataclasses.asdict(one) for one in plan.changes]
            self.stdout.write(json.dumps({"changes": changes, "problems": []}, ensure_ascii=False))
        else:
            self.stdout.write("\n".join([*map(str, plan.changes), _total(plan, verb)]))
        if plan.changes and verb == "plan":
            sys.exit(3)

    def _refuse(self, error: config.ConfigError, *, as_json: bool) -> None:
        if as_json:
            problems = [dataclasses.asdict(one) for one in error.problems]
            self.stdout.write(json.dumps({"changes": [], "problems": problems}, ensure_ascii=False))
            sys.exit(1)
        raise CommandError("\n".join([*map(str, error.problems), "Nothing was changed."])) from error


def _total(plan: configure.Plan, verb: str) -> str:
    if not plan.changes:
        return "Nothing to do: the portal is as the file says."
    counts = [sum(one.kind is kind for one in plan.changes) for kind in configdiff.ChangeKind]
    words = "Done" if verb == "apply" else "To do"
    return f"{words}: {counts[0]} to create, {counts[1]} to change, {counts[2]} to delete."


def _options(file: str, options: dict) -> configure.Options:
    name = "" if file == "-" else Path(file).as_posix()
    kept_in = name if options["lock"] else "" if options["unlock"] else None
    if options["lock"] and not 0 < len(name) <= 300:
        raise CommandError("--lock needs the name of a file, of at most 300 characters.")
    chosen = tuple(options["mapping"])
    creates = options["create_properties"]
    return configure.Options(chosen, options["suffix"], options["prune"], kept_in, name, creates_properties=creates)


def _read(file: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return raw.decode("utf-8")
    except OSError as error:
        raise CommandError(f"The file {file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"The file {file} is no UTF-8 text. Save it as UTF-8.") from error


def _portal(label: str | None) -> Portal:
    found = list(Portal.objects.filter(label=label) if label else Portal.objects.all()[:2])
    if len(found) == 1:
        return found[0]
    known = ", ".join(repr(one) for one in Portal.objects.values_list("label", flat=True))
    if not known:
        raise CommandError("There is no portal yet. Connect one first with crmsync_connect.")
    if label:
        raise CommandError(f"There is no portal {label!r}. Portals: {known}.")
    raise CommandError(f"There are several portals. Name one with --portal: {known}.")
