"""``manage.py crmsync_connect``: adds or updates a portal, its secrets read from a prompt or standard input."""

import getpass
import json
import sys

from django.core.management.base import BaseCommand, CommandError

from crmsync.flows import connect
from crmsync.models import Portal


class Command(BaseCommand):
    """Secrets are read from standard input or a prompt, never from the command line, where others see them."""

    help = "Connect a HubSpot account with a static token, and test the connection."

    def add_arguments(self, parser) -> None:
        parser.add_argument("label", help="Your name for this HubSpot account; an existing one is updated.")
        parser.add_argument(
            "--stdin",
            action="store_true",
            help="Read the token and, on a second line, the client secret from standard input instead of asking.",
        )
        parser.add_argument("--test", action="store_true", help="Only test the stored credentials again.")
        parser.add_argument("--json", action="store_true", help="Print the account as JSON.")

    def handle(self, *args, label: str, **options) -> None:
        stored = Portal.objects.defer("token", "client_secret")  # a lost key must not keep a new token out
        portal = stored.filter(label=label).first() or Portal(label=label)
        if options["test"] and portal.pk is None:
            raise CommandError(f"There is no portal {label!r}. Run the command without --test to add it.")
        if not options["test"]:
            portal.token, secret = _read(options["stdin"])
            if secret:
                portal.client_secret = secret
        try:
            connect.connect(portal)
        except connect.ConnectError as error:
            raise CommandError(str(error)) from error
        facts = {
            "portal": portal.pk,
            "hub_id": portal.hub_id,
            "account_type": portal.account_type,
            "time_zone": portal.time_zone,
            "scopes": portal.scopes,
        }
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        else:
            self.stdout.write(
                f"Connected “{portal.label}” to HubSpot account {portal.hub_id} ({portal.account_type},"
                f" {portal.time_zone}), {len(portal.scopes)} scopes."
            )


def _read(from_stdin: bool) -> tuple[str, str]:
    if from_stdin:
        lines = [line.strip() for line in sys.stdin.read().splitlines()]
        return lines[0] if lines else "", lines[1] if len(lines) > 1 else ""
    return getpass.getpass("Access token: ").strip(), getpass.getpass("Client secret (empty: none): ").strip()
