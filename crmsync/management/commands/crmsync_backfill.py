"""``manage.py crmsync_backfill``: every record of a mapping, in one or both directions, resumable at any kill."""

import json
import sys
import time

from django.core.management.base import BaseCommand, CommandError

from crmsync.engine import errors as engine_errors
from crmsync.engine import safety, terms
from crmsync.flows import backfill, failures
from crmsync.ledger import journal
from crmsync.models import Mapping, Run

# A passing fault is waited for this often in a row before the command gives up; the run can be resumed.
_PATIENCE = 8


class Command(BaseCommand):
    """Exit codes: 0 done, 1 error, 3 with --dry-run when there is something to do, 130 on Ctrl-C."""

    help = (
        "Bring all records of a mapping together. Run it again after Ctrl-C: it goes on from the last finished page."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("mapping", help="The mapping's name or id.")
        parser.add_argument("--direction", choices=["push", "pull", "both"], default="both")
        parser.add_argument("--dry-run", action="store_true", help="Plan all pages, write nothing, print the counts.")
        parser.add_argument("--max-creates", type=int, help="Stop before the run creates more records than this.")
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")
        parser.add_argument("--no-progress", action="store_true")

    def handle(self, *args, **options) -> None:
        mapping = self._mapping(options["mapping"])
        kinds = backfill.kinds(mapping, terms.Direction(options["direction"]))
        if not kinds:
            raise CommandError(f"Mapping “{mapping}” does not flow in the direction {options['direction']}.")
        work = self._plan if options["dry_run"] else self._run
        try:
            report = {str(kind): work(mapping, kind, options) for kind in kinds}
        except KeyboardInterrupt:
            self.stderr.write("\nStopped. Run the same command again to go on from here.")
            sys.exit(130)
        self._print(report, options)
        quiet = {str(terms.Outcome.UNCHANGED), str(terms.Outcome.EXCLUDED)}
        if options["dry_run"] and any(set(counts) - quiet for counts in report.values()):
            sys.exit(3)

    def _mapping(self, name: str) -> Mapping:
        found = Mapping.objects.filter(pk=name) if name.isdigit() else Mapping.objects.filter(label=name)
        mapping = found.select_related("portal").first()
        if mapping is None:
            known = ", ".join(repr(label) for label in Mapping.objects.values_list("label", flat=True)) or "none yet"
            raise CommandError(f"There is no mapping {name!r}. Mappings: {known}.")
        return mapping

    def _plan(self, mapping: Mapping, kind: str, options: dict) -> dict[str, int]:
        total: dict[str, int] = {}
        try:
            for plan in backfill.preview(mapping, kind, pages_wanted=sys.maxsize):
                for outcome, count in plan.counts().items():
                    total[str(outcome)] = total.get(str(outcome), 0) + count
        except Exception as error:
            raise CommandError(failures.classify(error).message) from error
        return total

    def _run(self, mapping: Mapping, kind: str, options: dict) -> dict[str, int]:
        limits = safety.Limits(creates=options["max_creates"]) if options["max_creates"] is not None else None
        run = self._open(mapping, kind)
        bar = _bar(run, is_shown=not options["no_progress"])
        tries = 0
        while run.state == journal.State.RUNNING:
            try:
                for one in backfill.pages(run, limits):
                    tries = 0
                    bar.show(one)
            except engine_errors.UnsafePlanError as error:
                raise CommandError(f"{error} Nothing of this page was written.") from error
            except Exception as error:
                tries += 1
                self._wait_or_give_up(run, error, tries)
            else:
                self._wait_for_holder(run)
        bar.close()
        if run.state != journal.State.FINISHED:
            raise CommandError(f"The run ended as “{run.get_state_display()}”. {run.message}")
        return run.counts

    def _wait_or_give_up(self, run: Run, error: Exception, tries: int) -> None:
        verdict = backfill.fail(run, error)
        if run.state != journal.State.RUNNING or tries > _PATIENCE:
            raise CommandError(f"{verdict.message} The run keeps its place: run the command again.") from error
        Run.objects.filter(pk=run.pk).update(leased_until=None)
        time.sleep(min(verdict.retry_after or 2.0**tries, 15.0))

    def _wait_for_holder(self, run: Run) -> None:
        """The pages ended: the run is done, was stopped, or another process holds it."""
        run.refresh_from_db()
        if run.state == journal.State.RUNNING:
            time.sleep(1.0)

    def _open(self, mapping: Mapping, kind: str) -> Run:
        try:
            return backfill.start(mapping, kind)
        except Exception as error:
            raise CommandError(failures.classify(error).message) from error

    def _print(self, report: dict[str, dict[str, int]], options: dict) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        for kind, counts in report.items():
            parts = [f"{count} {terms.Outcome(outcome).label}" for outcome, count in sorted(counts.items()) if count]
            verb = "would be" if options["dry_run"] else "done"
            self.stdout.write(f"{kind} {verb}: {', '.join(parts) or 'nothing to do'}")


class _Lines:
    """Progress where tqdm is not installed: a line every few seconds."""

    def __init__(self, run: Run) -> None:
        self.shown_at = time.monotonic()

    def show(self, run: Run) -> None:
        if time.monotonic() - self.shown_at > 5:
            self.shown_at = time.monotonic()
            sys.stderr.write(f"{run.get_kind_display()}: {run.done}{f' of {run.total}' if run.total else ''}\n")

    def close(self) -> None:
        sys.stderr.flush()


class _Bar:
    """tqdm's bar over the run's counts."""

    def __init__(self, run: Run, tqdm) -> None:
        self.bar = tqdm(total=run.total, initial=run.done, desc=str(run.get_kind_display()), unit=" records")

    def show(self, run: Run) -> None:
        self.bar.update(run.done - self.bar.n)

    def close(self) -> None:
        self.bar.close()


class _Nothing:
    def show(self, run: Run) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Close nothing."""


def _bar(run: Run, *, is_shown: bool):
    if not is_shown:
        return _Nothing()
    try:
        from tqdm import tqdm
    except ImportError:
        return _Lines(run)
    return _Bar(run, tqdm)
