"""``manage.py crmsync_worker``: drains all work in a plain loop, for sites without Redis."""

import signal
from types import FrameType

from django.core.management.base import BaseCommand

from crmsync import jobs


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C, then finishes what is due, for 20 seconds at most; a kill loses nothing."""

    help = "Drain pushes, pulls, polls and backfills in a loop. Several may run at once."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--once", action="store_true", help="Work until nothing is due, then stop.")

    def handle(self, *args, once: bool, **options) -> None:
        if once:
            while not jobs.work(60.0)[1]:
                continue
            return
        self.is_stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        self.stdout.write("crmsync_worker ready")
        jobs.run_forever(lambda: self.is_stopped)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.is_stopped = True
