"""``manage.py crmsync_doctor``: says what is wrong with this installation, and prints a bundle for whoever helps."""

import json
import sys

from django.core.management.base import BaseCommand

from crmsync import jobs
from crmsync.flows import diagnose


class Command(BaseCommand):
    """Exit codes: 0 nothing at or above the fail level, 2 something is. Nothing secret or personal is printed."""

    help = "Examine versions, settings, processes, portals and queues, and print what is wrong with its remedy."
    # It runs the checks itself, and is wanted most when they fail.
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--json", action="store_true", help="Print the whole bundle as JSON.")
        parser.add_argument(
            "--fail-level",
            choices=diagnose.LEVELS,
            default=diagnose.ERROR,
            help="From which level on the exit code is 2; error unless told otherwise.",
        )

    def handle(self, *args, **options) -> None:
        if options["verbosity"]:
            self.stderr.write("Examining this installation …")
        found = diagnose.report(jobs.is_answering)
        self.stdout.write(json.dumps(found, indent=1) if options["json"] else diagnose.as_text(found))
        worst = diagnose.worst(found)
        if worst and diagnose.LEVELS.index(worst) <= diagnose.LEVELS.index(options["fail_level"]):
            sys.exit(2)
