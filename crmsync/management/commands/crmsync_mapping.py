"""``manage.py crmsync_mapping``: a mapping is tested, approved, switched on or paused; else nothing flows."""

import json
import sys

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError

from crmsync import jobs
from crmsync.flows import advance, failures, lifecycle
from crmsync.ledger import specs
from crmsync.models import Mapping

# Grows when a key of the JSON changes its meaning or goes; new keys may come at any time.
_FORMAT = 1


class Command(BaseCommand):
    """Exit codes: 0 done or nothing to do, 1 no such mapping or user, 2 refused and nothing was changed, 3 with
    --dry-run when it would be done."""

    help = "Take a step of a mapping's life, with the same refusals as on its page in the admin."

    def add_arguments(self, parser) -> None:
        parser.add_argument("mapping", help="The mapping's name or id.")
        parser.add_argument("verb", choices=[one.value for one in advance.Verb])
        parser.add_argument(
            "--by",
            metavar="USER",
            help="Who answers for it, by user name: the step is taken with that person's permissions and recorded"
            " with the name. Needed for an approval by a second person.",
        )
        parser.add_argument("--note", default="", help="Why, for the mapping's history.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be done or refused; change nothing."
        )
        parser.add_argument("--json", action="store_true", help="Print the result as JSON.")

    def handle(self, *args, mapping: str, verb: str, **options) -> None:
        one, user, step = _mapping(mapping), _user(options["by"]), advance.Verb(verb)
        try:
            taken = advance.advance(one, step, user, note=options["note"], is_tried=options["dry_run"])
        except (lifecycle.LifecycleError, specs.SpecError) as error:
            self._refuse(one, step, str(error), as_json=options["json"])
        except Exception as error:
            raise CommandError(failures.classify(error).message) from error
        else:
            self._show(one, step, taken, options)

    def _refuse(self, one: Mapping, step: advance.Verb, message: str, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(_as_json(one, step, lifecycle.find_life(one), refusal=message)))
        else:
            self.stderr.write(f"{message} Nothing was changed.")
        sys.exit(2)

    def _show(self, one: Mapping, step: advance.Verb, taken: advance.Taken, options: dict) -> None:
        is_tried = options["dry_run"]
        if options["json"]:
            facts = {
                "recorded": taken.recorded,
                "warnings": taken.warnings,
                "is_done": taken.is_done and not is_tried,
            }
            self.stdout.write(json.dumps(_as_json(one, step, taken.life, **facts)))
        else:
            self._print(one, step, taken, is_tried=is_tried)
        if taken.is_done and is_tried:
            sys.exit(3)
        if taken.is_done:
            jobs.ring()

    def _print(self, one: Mapping, step: advance.Verb, taken: advance.Taken, *, is_tried: bool) -> None:
        if not taken.is_done:
            self.stdout.write(f"Nothing to do: “{one}” is {taken.life}.")
            return
        verb = "would be" if is_tried else "is"
        self.stdout.write(f"“{one}” {verb} {step.label}: {taken.life}.")
        for state in taken.recorded:
            self.stdout.write(f"  On the way it {verb} recorded as {state} at revision {taken.life.revision}.")
        for warning in taken.warnings:
            self.stderr.write(f"Warning: {warning}")


def _mapping(name: str) -> Mapping:
    rows = Mapping.objects.select_related("portal").order_by("label")
    found = (rows.filter(pk=name) if name.isdigit() else rows.filter(label=name)).first()
    if found is None:
        known = ", ".join(repr(one.label) for one in rows) or "none yet"
        raise CommandError(f"There is no mapping {name!r}. Mappings: {known}.")
    return found


def _user(name: str | None) -> AbstractBaseUser | None:
    if name is None:
        return None
    users = get_user_model()
    try:
        user = users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist as error:
        raise CommandError(f"There is no user {name!r}.") from error
    if not user.is_active:
        raise CommandError(f"{name!r} is switched off, so they answer for nothing. Name somebody else.")
    return user


def _as_json(one: Mapping, step: advance.Verb, life: lifecycle.Life, **facts: object) -> dict[str, object]:
    return {
        "format": _FORMAT,
        "mapping": one.label,
        "id": one.pk,
        "verb": step.value,
        "state": life.state.value,
        "revision": life.revision,
        "tested": life.tested,
        "approved": life.approved,
        "is_done": False,
        "recorded": [],
        "warnings": [],
        "refusal": "",
        **facts,
    }
