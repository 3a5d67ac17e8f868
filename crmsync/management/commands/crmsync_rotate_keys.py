"""``manage.py crmsync_rotate_keys``: encrypts every stored secret with the first of FERNET_KEYS."""

import json
import sys

from django.core.management.base import BaseCommand

from crmsync.ledger import credentials


class Command(BaseCommand):
    """Exit codes: 0 all rewritten, 1 some could not be read and were left alone. Safe to run again."""

    help = "Encrypt all secrets anew with the first of FERNET_KEYS, so that older keys can be taken out."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def handle(self, *args, **options) -> None:
        if options["verbosity"]:
            self.stderr.write("Encrypting the secrets of all portals …")
        rewritten, unreadable = credentials.rotate_keys()
        if options["json"]:
            self.stdout.write(json.dumps({"rewritten": rewritten, "unreadable": unreadable}))
        else:
            self.stdout.write(f"{rewritten} credentials rewritten, {unreadable} unreadable.")
        if unreadable:
            self.stderr.write(
                "What is unreadable was encrypted with a key that is not in FERNET_KEYS: put that key back at the end"
                " of the list and run this again, or enter the secrets again on the portal's page."
            )
            sys.exit(1)
