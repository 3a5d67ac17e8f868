"""``manage.py crmsync_canary``: a new version of a mapping is tried on a few records, shown, promoted or dropped."""

import dataclasses
import json
import sys
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError

from crmsync import jobs
from crmsync.engine import config
from crmsync.flows import canary, failures, lifecycle, versions
from crmsync.ledger import canaries
from crmsync.models import Canary, Mapping


class Command(BaseCommand):
    """Exit codes: 0 done, 1 error and nothing was changed, 2 some record could not be tried or put back, or a value
    was left as it is, 3 with --dry-run where something would be written."""

    help = (
        "Try the new version of a mapping on linked records (start), show what it wrote (show), make it the mapping's"
        " next revision (promote), or put back what it wrote (drop)."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("verb", choices=["start", "show", "promote", "drop"])
        parser.add_argument("mapping", help="The name or id of the version, or of the mapping it is a version of.")
        parser.add_argument(
            "--records", nargs="+", default=[], metavar="KEY", help="With start: keys in Django or ids in HubSpot."
        )
        parser.add_argument(
            "--random", type=int, metavar="N", help=f"With start: N at random, at most {canary.MOST}."
        )
        parser.add_argument(
            "--by", metavar="USER", help="Who answers for it, by user name, with that person's permissions."
        )
        parser.add_argument("--delete", action="store_true", help="With drop: delete the version, too.")
        parser.add_argument(
            "--leave", action="store_true", help="With drop: end it although some records cannot be put back."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be done.")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args, verb: str, mapping: str, **options) -> None:
        version = _version(mapping)
        options["by"] = _user(options["by"], verb)
        try:
            getattr(self, f"_{verb}")(version, options)
        except config.ConfigError as error:
            raise CommandError("\n".join(map(str, error.problems))) from error
        except (canary.CanaryError, versions.VersionError, lifecycle.LifecycleError) as error:
            raise CommandError(str(error)) from error
        except CommandError:
            raise
        except Exception as error:  # whatever it was, the verdict has words for it
            raise CommandError(failures.classify(error).message) from error

    # --- Verbs ----------------------------------------------------------------------------------------------

    def _start(self, version: Mapping, options: dict) -> None:
        if (one := canaries.find_open(version)) is not None and not options["dry_run"]:
            canary.go_on(one)  # those that were not tried yet
            return self._tell(one, options)
        chosen = _chosen(version, options)
        if why := canary.refuse(version):
            raise CommandError(why)
        if chosen.refused:
            raise CommandError("\n".join(f"{text}: {why}" for text, why in chosen.refused))
        if options["dry_run"]:
            rows = [{"record": str(link)} for link in chosen.links]
            self._print({"would_try": rows}, [f"Would try {one['record']}." for one in rows], options)
            sys.exit(3 if rows else 0)
        return self._tell(canary.start(version, chosen.links, _id(options)), options)

    def _show(self, version: Mapping, options: dict) -> None:
        self._tell(_open(version), options, fails=False)

    def _promote(self, version: Mapping, options: dict) -> None:
        found = versions.foresee(version)
        facts = {"changes": [str(one) for one in found.changes], "overtaken": [str(one) for one in found.overtaken]}
        lines = [*facts["changes"], *(f"Takes back: {one}" for one in facts["overtaken"])]
        if options["dry_run"]:
            lifecycle.check_ready(version, may_approve=_may_approve(options))
            self._print(facts, lines or ["Nothing differs."], options)
            sys.exit(3)
        versions.promote(version, _id(options), may_approve=_may_approve(options), seen=found.seen)
        jobs.ring()
        self._print(facts, [*lines, "Promoted."], options)

    def _drop(self, version: Mapping, options: dict) -> None:
        one = _open(version)
        if options["dry_run"]:
            count = one.records.exclude(state=canaries.State.DROPPED).count()
            self._print({"would_put_back": count}, [f"Would put back {count} records."], options)
            sys.exit(3)
        done = canary.drop(one, leaves=options["leave"])
        jobs.ring()
        lines = [f"{record}: {why}" for record, why in (*done.open, *done.left)]
        is_over = not done.open or options["leave"]
        if options["delete"] and is_over:
            versions.discard(version)
        end = "Dropped." if is_over else "Not dropped: run it again, or with --leave."
        self._print(dataclasses.asdict(done), [*lines, f"{done.done} records were put back. {end}"], options)
        if lines:
            sys.exit(2)

    # --- Output ---------------------------------------------------------------------------------------------

    def _tell(self, one: Canary, options: dict, *, fails: bool = True) -> None:
        """Names and outcomes, no values: those are on the canary's page."""
        rows = [
            {
                "record": str(row.link),
                "state": row.state,
                "outcome": row.outcome,
                "written": [f"{each.side.label}: {each.field}" for each in canaries.written_of(row)],
                "reason": row.reason,
            }
            for row in one.records.select_related("link")
        ]
        lines = [_line(row) for row in rows]
        self._print({"opened_at": one.opened_at.isoformat(), "records": rows}, lines, options)
        if fails and any(row["state"] == canaries.State.WAITING for row in rows):
            sys.exit(2)

    def _print(self, facts: dict[str, Any], lines: list[str], options: dict) -> None:
        self.stdout.write(json.dumps(facts, indent=1, ensure_ascii=False) if options["json"] else "\n".join(lines))


def _line(row: dict[str, Any]) -> str:
    written = ", ".join(row["written"]).replace("|", " ↔ ") or "written nothing"
    return " ".join(filter(None, [f"{row['record']}: {row['outcome'] or row['state']},", written, row["reason"]]))


def _version(name: str) -> Mapping:
    """The version of this name, or of the mapping of this name."""
    rows = Mapping.objects.select_related("portal", "version_of")
    found = (rows.filter(pk=name) if name.isdigit() else rows.filter(label=name)).first()
    if found is None:
        known = ", ".join(repr(label) for label in rows.values_list("label", flat=True)) or "none yet"
        raise CommandError(f"There is no mapping {name!r}. Mappings: {known}.")
    version = found if found.version_of_id else rows.filter(version_of=found).first()
    if version is None:
        raise CommandError(f"“{found}” has no new version. Prepare one on its page in the admin.")
    return version


def _user(name: str | None, verb: str) -> AbstractBaseUser | None:
    """Who answers for it; nobody in particular where the command line is trusted."""
    if name is None:
        return None
    users = get_user_model()
    user = users._default_manager.filter(**{users.USERNAME_FIELD: name, "is_active": True}).first()
    needed = {"promote": "crmsync.change_mapping", "show": "crmsync.view_mapping"}.get(verb, "crmsync.operate_sync")
    if user is None:
        raise CommandError(f"There is no active user {name!r}.")
    if not user.has_perm(needed):
        raise CommandError(f"{name!r} has not the permission {needed}. Give it to them, or name somebody who has it.")
    return user


def _id(options: dict) -> int | None:
    return options["by"].pk if options["by"] is not None else None


def _may_approve(options: dict) -> bool:
    return options["by"] is None or options["by"].has_perm("crmsync.approve_mapping")


def _open(version: Mapping) -> Canary:
    one = canaries.find_open(version)
    if one is None:
        raise CommandError(f"No canary of “{version}” is open. Start one first.")
    return one


def _chosen(version: Mapping, options: dict) -> canary.Choice:
    if options["records"]:
        return canary.choose(version, options["records"])
    if options["random"]:
        return canary.draw(version, options["random"])
    raise CommandError("Name the records with --records, or draw some with --random.")
