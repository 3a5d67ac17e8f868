"""``manage.py crmsync_connect``: adds or updates a portal, its secrets read from a prompt or standard input."""

import getpass
import json
import sys

from django.core.management.base import BaseCommand, CommandError

from crmsync.engine import tiers
from crmsync.flows import connect, discover, meter, report
from crmsync.ledger import credentials
from crmsync.models import Portal, choices

Kind = choices.CredentialKind

_KINDS = {"static": Kind.STATIC, "service-key": Kind.SERVICE_KEY, "oauth": Kind.OAUTH}
_BROWSER = (
    "OAuth needs a browser, because a person consents on HubSpot's own page: press “Connect with HubSpot” on the"
    " portal's page in the admin."
)


class Command(BaseCommand):
    """Secrets are read from standard input or a prompt, never from the command line, where others see them.

    Exit codes: 0 connected, and the fields read unless told not to; 1 not connected, or the fields could not be read.
    """

    help = "Connect a HubSpot account with a static token or a service key, test it and read its fields."

    def add_arguments(self, parser) -> None:
        parser.add_argument("label", help="Your name for this HubSpot account; an existing one is updated.")
        parser.add_argument(
            "--stdin",
            action="store_true",
            help="Read the token and, on a second line, the client secret from standard input instead of asking.",
        )
        parser.add_argument(
            "--kind",
            choices=list(_KINDS),
            help="What the token is; as before for a portal that exists, else static. A service key has no webhooks.",
        )
        parser.add_argument("--no-discover", action="store_true", help="Do not read the account's fields afterwards.")
        parser.add_argument("--test", action="store_true", help="Only test the stored credentials again.")
        parser.add_argument("--json", action="store_true", help="Print the account and both steps as JSON.")

    def handle(self, *args, label: str, **options) -> None:
        portal = Portal.objects.filter(label=label).first() or Portal(label=label)
        if options["test"] and portal.pk is None:
            raise CommandError(f"There is no portal {label!r}. Run the command without --test to add it.")
        self.is_loud = options["verbosity"] > 0
        try:
            self._connect(portal, options)
            wants_fields = not (options["test"] or options["no_discover"])
            discovery = self._discover(portal) if wants_fields else None
            facts = _facts(portal, discovery, report.look_up_tier(portal))
        except connect.ConnectError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join(_lines(facts)))
        if discovery is not None and discovery["problem"]:
            raise CommandError(f"Connected, but the fields could not be read: {discovery['problem']}")

    def _connect(self, portal: Portal, options: dict) -> None:
        if options["test"]:
            self._say("Testing the stored credentials …")
            connect.test(portal)
            return
        kind = _kind(portal, options["kind"])
        token, secret = _read(options["stdin"])
        self._say("Trying the token …")
        connect.connect(portal, credentials.Entered(kind, token=token, client_secret=secret))

    def _discover(self, portal: Portal) -> dict:
        """What the second step came to: {"problem": why not, or "", "added", "changed", "removed": properties}."""
        self._say("Reading the account's fields …")
        counts = {"added": 0, "changed": 0, "removed": 0}
        try:
            found = discover.discover(portal)
        except discover.DiscoveryError as error:
            return {"problem": str(error), **counts}
        finally:
            meter.write()
        for diff in found.properties.values():
            for word, names in diff.items():
                counts[word] += len(names)
        return {"problem": "", **counts}

    def _say(self, text: str) -> None:
        if self.is_loud:
            self.stderr.write(text)


def _kind(portal: Portal, named: str | None) -> str:
    """The kind that was named, else the portal's own; CommandError for OAuth."""
    one = credentials.load(portal.pk) if named is None and portal.pk else None
    kind = _KINDS[named] if named else one.kind if one is not None else Kind.STATIC
    if kind == Kind.OAUTH:
        more = "" if named else " With --kind static a token takes the place of that connection."
        raise CommandError(f"{_BROWSER}{more}")
    return kind


def _read(from_stdin: bool) -> tuple[str, str]:
    if from_stdin:
        given = [line.strip() for line in sys.stdin.read().splitlines()]
        return given[0] if given else "", given[1] if len(given) > 1 else ""
    return getpass.getpass("Access token: ").strip(), getpass.getpass("Client secret (empty: none): ").strip()


def _facts(portal: Portal, discovery: dict | None, tier: tiers.Tier) -> dict:
    return {
        "portal": portal.pk,
        "label": portal.label,
        "state": str(portal.state),
        "hub_id": portal.hub_id,
        "account_type": portal.account_type,
        "time_zone": portal.time_zone,
        "tier": str(tier),
        "are_scopes_known": portal.are_scopes_known,
        "scopes": portal.scopes,
        "discovery": discovery,
    }


def _lines(facts: dict) -> list[str]:
    """Both steps, each with what came of it."""
    scopes = ", ".join(facts["scopes"]) or "none" if facts["are_scopes_known"] else "HubSpot does not tell them"
    account = f"HubSpot account {facts['hub_id']} ({facts['account_type']}, {facts['time_zone']})"
    told = [
        f"Connected “{facts['label']}” to {account}. It is {choices.PortalState(facts['state']).label}.",
        f"Tier: {tiers.Tier(facts['tier']).label}. Scopes: {scopes}.",
    ]
    found = facts["discovery"]
    if found is not None and not found["problem"]:
        counts = ", ".join(f"{found[word]} {word}" for word in ("added", "changed", "removed"))
        told.append(f"Fields read: {counts}. Next: add a mapping.")
    return told
