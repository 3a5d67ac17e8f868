"""``manage.py crmsync_sweep``: one dispatcher tick, for sites that have cron but no scheduler process."""

from django.core.management.base import BaseCommand

from crmsync import jobs


class Command(BaseCommand):
    """Runs the polls that are due and drains whatever is due; safe beside workers."""

    help = "Run due polls and drain all due work once. Call it from cron where no scheduler runs."

    def handle(self, *args, **options) -> None:
        done = jobs.tick()
        jobs.tidy()
        self.stdout.write(f"{done} rows worked on")
