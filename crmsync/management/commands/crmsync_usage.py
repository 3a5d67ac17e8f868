"""``manage.py crmsync_usage``: the API calls of one or all portals, what they allow, and what growth will need."""

import dataclasses
import json

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from crmsync.flows import report
from crmsync.models import Portal


class Command(BaseCommand):
    """Prints the same report as the portal's page, to be handed to whoever buys a larger limit."""

    help = "Print the usage report of a portal, or of all of them."

    def add_arguments(self, parser) -> None:
        parser.add_argument("label", nargs="?", help="The portal's name; all portals where it is left out.")
        parser.add_argument("--days", type=int, default=30, help="So many days, today among them (30).")
        parser.add_argument("--json", action="store_true", help="Print a JSON list, an object for each portal.")

    def handle(self, *args, label: str | None, days: int, **options) -> None:
        if days < 1:
            raise CommandError("--days must be 1 or more.")
        portals = Portal.objects.filter(label=label) if label else Portal.objects.all()
        if not portals:
            raise CommandError(_unknown(label))
        made = []
        for portal in portals:
            if options["verbosity"]:
                self.stderr.write(f"Counting the calls of “{portal.label}” …")
            made.append(report.make(portal, days))
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(one) for one in made], cls=DjangoJSONEncoder))
            return
        self.stdout.write("\n".join(report.as_text(one) for one in made), ending="")


def _unknown(label: str | None) -> str:
    if label is None:
        return "There is no portal yet. Connect one first with crmsync_connect."
    known = ", ".join(repr(one) for one in Portal.objects.values_list("label", flat=True)) or "none yet"
    return f"There is no portal {label!r}. Portals: {known}."


def _as_json(one: report.UsageReport) -> dict:
    """Field by field, the portal by its name and HubSpot account."""
    found = {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
    found["portal"], found["hub_id"] = one.portal.label, one.portal.hub_id
    found["told"] = dataclasses.asdict(one.told) if one.told is not None else None
    found["forecast"] = dataclasses.asdict(one.forecast)
    return found
