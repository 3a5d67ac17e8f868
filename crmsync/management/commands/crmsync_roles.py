"""``manage.py crmsync_roles``: makes Django groups of the roles that staff have with the sync."""

import dataclasses
import json
import sys
from collections.abc import Sequence

from django.core.management.base import BaseCommand, CommandError

from crmsync.flows import roles


class Command(BaseCommand):
    """Exit codes: 0 done or nothing to do, 1 error and nothing was changed, 3 with --dry-run where something would
    be changed."""

    help = "Make the groups Viewer, Operator, Mapper, Connector, Auditor and Approver, or give them what they lack."

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--reset",
            action="store_true",
            help="Also take from these groups what staff added; else nothing is ever taken from them.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be changed.")
        parser.add_argument("--json", action="store_true", help="Print a JSON list, an object for each group.")

    def handle(self, *args, **options) -> None:
        carry_out = roles.plan if options["dry_run"] else roles.apply
        try:
            changes = carry_out(resets=options["reset"])
        except roles.RoleError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps([dataclasses.asdict(one) for one in changes], indent=1))
        else:
            self._print(changes)
        if options["dry_run"] and any(one.is_change for one in changes):
            sys.exit(3)

    def _print(self, changes: Sequence[roles.Change]) -> None:
        for one in changes:
            self.stdout.write(f"{one.group}: {_said(one)}")
            for sign, names in (("+", one.added), ("-", one.removed), ("kept", one.kept)):
                for name in names:
                    self.stdout.write(f"    {sign} {name}")


def _said(one: roles.Change) -> str:
    if not one.is_change:
        return "as it should be"
    parts = ["new"] if one.is_new else []
    parts += [f"{len(one.added)} permissions added"] if one.added else []
    parts += [f"{len(one.removed)} taken away"] if one.removed else []
    return ", ".join(parts)
