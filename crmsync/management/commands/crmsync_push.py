"""``manage.py crmsync_push``: chosen rows are made in HubSpot once, whatever their mapping makes by itself."""

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from crmsync import jobs
from crmsync.flows import once
from crmsync.ledger import places
from crmsync.models import Mapping


class Command(BaseCommand):
    """The rows are queued; a worker sends them."""

    help = (
        "Make these rows in HubSpot once, also where their mapping creates nothing there, or its rules keep them out."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("model", help="The Django model, such as demo.Organisation.")
        parser.add_argument("pks", nargs="+", metavar="pk", help="Primary keys of the rows.")
        parser.add_argument("--mapping", help="The mapping's name; all live ones of the model where it is left out.")

    def handle(self, *args, model: str, pks: list[str], mapping: str | None, **options) -> None:
        found = self._model(model)
        try:
            rows = found._default_manager.using(places.home(found)).filter(pk__in=pks)
            there = {str(pk) for pk in rows.values_list("pk", flat=True)}
        except (ValueError, ValidationError) as error:
            raise CommandError(f"These are no keys of {model}: {', '.join(pks)}. Nothing was queued.") from error
        if missing := [pk for pk in pks if pk not in there]:
            raise CommandError(f"There is no {model} with the key {', '.join(missing)}. Nothing was queued.")
        try:
            count = once.ask(found, pks, self._mapping(mapping))
        except once.OnceError as error:
            raise CommandError(str(error)) from error
        jobs.ring()
        self.stdout.write(f"Queued: {count}. A worker sends them; the log says what became of each.")

    def _model(self, label: str):
        try:
            return apps.get_model(label)
        except (LookupError, ValueError) as error:
            raise CommandError(f"There is no model {label!r}. Name it as in CRMSYNC['MODELS'].") from error

    def _mapping(self, name: str | None) -> Mapping | None:
        if name is None:
            return None
        found = Mapping.objects.filter(label=name).first()
        if found is None:
            known = ", ".join(repr(label) for label in Mapping.objects.values_list("label", flat=True)) or "none yet"
            raise CommandError(f"There is no mapping {name!r}. Mappings: {known}.")
        return found
