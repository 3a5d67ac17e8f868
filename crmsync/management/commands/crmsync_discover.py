"""``manage.py crmsync_discover``: reads what a portal has, from object types and properties to rules and owners."""

import dataclasses
import json

from django.core.management.base import BaseCommand, CommandError

from crmsync.flows import discover, meter
from crmsync.models import Portal


class Command(BaseCommand):
    """Lists what was added, changed and removed since the last time; with ``-v 2`` by name."""

    help = "Discover the fields, pipelines, labels, rules and owners of a connected portal."

    def add_arguments(self, parser) -> None:
        parser.add_argument("label", help="The portal's name.")
        parser.add_argument("--json", action="store_true", help="Print the whole report as JSON.")

    def handle(self, *args, label: str, **options) -> None:
        portal = Portal.objects.filter(label=label).first()
        if portal is None:
            raise CommandError(f"There is no portal {label!r}. Connect it first with crmsync_connect.")
        if options["verbosity"]:
            self.stderr.write(f"Reading the fields of “{label}” …")
        try:
            report = discover.discover(portal)
        except discover.DiscoveryError as error:
            raise CommandError(str(error)) from error
        finally:
            meter.write()  # this process ends, and what it counted with it
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(report)))
            return
        self.stdout.write("\n".join(lines(report, names=options["verbosity"] > 1)))
        for what, scopes in report.missing.items():
            self.stderr.write(f"{what} could not be read: the token lacks {scopes}.")


def lines(report: discover.Report, *, names: bool) -> list[str]:
    """A line for each object type; with ``names`` also one for each thing that is new, changed or gone."""
    told = [f"{name}: {_counts(diff)}" for name, diff in report.properties.items()]
    told.append(f"owners: {report.owners.get('added', 0)} new")
    if names:
        told += [f"{word} {kind} {where} {name}" for kind, where, word, some in report.news() for name in some]
    return [" ".join(line.split()) for line in told]


def _counts(diff: dict[str, list[str]]) -> str:
    return ", ".join(f"{len(some)} {word}" for word, some in diff.items())
