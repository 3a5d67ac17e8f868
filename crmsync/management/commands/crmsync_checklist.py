"""``manage.py crmsync_checklist``: what HubSpot must have for each mapping, and which webhooks."""

import dataclasses
import json

from django.core.management.base import BaseCommand, CommandError
from django.urls import NoReverseMatch, reverse

from crmsync import conf
from crmsync.flows import checklist
from crmsync.models import Portal


class Command(BaseCommand):
    """Calls nobody: it judges what the last discovery found."""

    help = "List what HubSpot must have for each mapping, and make the webhook subscriptions of the app."

    def add_arguments(self, parser) -> None:
        parser.add_argument("label", nargs="?", help="The portal's name; may be left out where there is only one.")
        parser.add_argument("--json", action="store_true", help="Print the list as JSON.")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--subscriptions", action="store_true", help="Print the subscriptions, one a line.")
        what.add_argument(
            "--hsmeta",
            nargs="?",
            const="",
            metavar="URL",
            help="Print webhooks-hsmeta.json of a project app, for this webhook address (else the site's own).",
        )

    def handle(self, *args, label: str | None, **options) -> None:
        portal = _portal(label)
        try:
            if options["hsmeta"] is not None:
                made = checklist.hsmeta(portal, options["hsmeta"] or _address())
                self.stdout.write(json.dumps(made, indent=2))
            elif options["subscriptions"]:
                lines = checklist.subscriptions(portal)
                self.stdout.write(json.dumps(lines) if options["json"] else "\n".join(lines))
            else:
                self._print(checklist.of_portal(portal), as_json=options["json"])
        except ValueError as error:
            raise CommandError(f"{error}. Map fewer fields from HubSpot, or rely on polling.") from error

    def _print(self, sections: tuple[checklist.Section, ...], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps([dataclasses.asdict(one) for one in sections]))
            return
        for section in sections:
            self.stdout.write(section.title)
            for item in section.items:
                self.stdout.write(f"  [{item.state.label}] {item.title}")
                for line in filter(None, (item.detail, item.remedy)):
                    self.stdout.write(f"      {line}")


def _portal(label: str | None) -> Portal:
    found = list(Portal.objects.filter(label=label) if label else Portal.objects.all()[:2])
    if len(found) == 1:
        return found[0]
    known = ", ".join(repr(one) for one in Portal.objects.values_list("label", flat=True))
    if not known:
        raise CommandError("There is no portal yet. Connect one first with crmsync_connect.")
    said = f"There is no portal {label!r}." if label else "Name the portal."
    raise CommandError(f"{said} Portals: {known}.")


def _address() -> str:
    """The site's own webhook address; CommandError where the settings do not tell it."""
    base = conf.current().PUBLIC_URL.rstrip("/")
    try:
        path = reverse("crmsync:webhook")
    except NoReverseMatch as error:
        raise CommandError(
            "crmsync.urls is not included in the project's urls.py: include it, or give URL."
        ) from error
    if not base:
        raise CommandError("CRMSYNC['PUBLIC_URL'] is not set: set it, or give the webhook address as URL.")
    return f"{base}{path}"
