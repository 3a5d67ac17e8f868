"""``manage.py crmsync_fakehub``: serves the stateful fake HubSpot on this machine."""

from django.core.management.base import BaseCommand

from crmsync.fakehub import server


class Command(BaseCommand):
    """All arguments are the fakehub's own; ``--help`` lists them."""

    help = "Serve a fake HubSpot over HTTP on this machine, for development and tests."
    requires_system_checks = []

    def run_from_argv(self, argv: list[str]) -> None:
        """The fakehub parses its own arguments, so that it can also run without Django."""
        raise SystemExit(server.main(argv[2:]))

    def handle(self, *args, **options) -> None:
        server.main(list(args))
