"""``manage.py crmsync_discover``: reads a portal's properties, pipelines and owners."""

import dataclasses
import json

from django.core.management.base import BaseCommand, CommandError

from crmsync.flows import discover, failures
from crmsync.hubspot import errors
from crmsync.models import Portal


class Command(BaseCommand):
    """Lists what was added, changed and removed since the last time."""

    help = "Discover the fields, pipelines and owners of a connected portal."

    def add_arguments(self, parser) -> None:
        parser.add_argument("label", help="The portal's name.")
        parser.add_argument("--json", action="store_true", help="Print the whole report as JSON.")

    def handle(self, *args, label: str, **options) -> None:
        portal = Portal.objects.filter(label=label).first()
        if portal is None:
            raise CommandError(f"There is no portal {label!r}. Connect it first with crmsync_connect.")
        try:
            report = discover.discover(portal)
        except errors.HubSpotError as error:
            raise CommandError(failures.classify(error).message) from error
        if options["json"]:
            self.stdout.write(json.dumps(dataclasses.asdict(report)))
            return
        for object_type, diff in report.properties.items():
            counts = ", ".join(f"{len(names)} {word}" for word, names in diff.items())
            self.stdout.write(f"{object_type}: {counts}")
        self.stdout.write(f"owners: {report.owners.get('added', 0)} new")
        for what, scopes in report.missing.items():
            self.stderr.write(f"{what} could not be read: the token lacks {scopes}.")
