"""``manage.py crmsync_overview``: the object table, with an arrow for the direction of each mapping."""

import dataclasses
import json

from django.core.management.base import BaseCommand, CommandError

from crmsync.flows import overview
from crmsync.models import Portal


class Command(BaseCommand):
    """Prints what the list of mappings shows in the admin. HubSpot is not called."""

    help = "Print which model goes with which HubSpot object type, which way, in which state, and how much is linked."

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "portal", nargs="?", default="", help="The portal's name; all portals where it is left out."
        )
        parser.add_argument("--json", action="store_true", help="Print a JSON list, an object for each mapping.")

    def handle(self, *args, portal: str, **options) -> None:
        if portal and not Portal.objects.filter(label=portal).exists():
            known = ", ".join(repr(one) for one in Portal.objects.values_list("label", flat=True)) or "none yet"
            raise CommandError(f"There is no portal {portal!r}. Portals: {known}.")
        found = overview.rows(portal)
        if options["json"]:
            self.stdout.write(json.dumps([dataclasses.asdict(one) for one in found], ensure_ascii=False, indent=1))
        elif found:
            self.stdout.write(overview.as_text(found), ending="")
        else:
            self.stdout.write("There is no mapping yet. Add one in the admin, or apply a file with crmsync_config.")
