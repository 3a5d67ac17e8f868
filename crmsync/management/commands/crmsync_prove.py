"""``manage.py crmsync_prove``: which values of mappings do not come back as they went."""

import dataclasses
import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.engine import prove as engine
from crmsync.flows import prove
from crmsync.ledger import specs
from crmsync.models import Mapping


class Command(BaseCommand):
    """Exit codes: 0 every value came back as it went, 1 no such mapping, 2 some did not or a mapping cannot run."""

    help = "Try every option and the boundary values of mappings: Django to HubSpot and back, and the reverse."

    def add_arguments(self, parser) -> None:
        parser.add_argument("mapping", nargs="*", help="Names or ids of mappings; all of them unless told otherwise.")
        parser.add_argument("--json", action="store_true", help="Print the proofs as JSON.")

    def handle(self, *args, mapping: list[str], **options) -> None:
        proofs, refused = [], False
        for one in _mappings(mapping):
            try:
                proofs.append((one, prove.prove(one)))
            except specs.SpecError as error:
                refused = True
                self.stderr.write(str(error))
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(*each) for each in proofs]))
        else:
            self.stdout.write("\n".join(line for each in proofs for line in lines(*each)))
        if refused or not all(proof.is_fixed for _mapping, proof in proofs):
            sys.exit(2)


def lines(mapping: Mapping, proof: engine.Proof) -> list[str]:
    """The mapping, its fields that are not at rest, and their findings."""
    tried = sum(one.tried for one in proof.fields)
    count = sum(one.count for one in proof.fields)
    told = [f"{mapping}: {tried} values tried, {count} do not come back as they went"]
    for one in proof.fields:
        if one.count:
            told.append(f"  {one.local} ↔ {one.remote}, {one.direction.label}: {one.count} of {one.tried}")
        told += [f"    [{found.kind.label}] {_sentence(found)}" for found in one.findings]
        if one.count > len(one.findings):
            told.append(f"    … and {one.count - len(one.findings)} more")
    return told


def _sentence(found: engine.Finding) -> str:
    start = f"from {found.starts.label}: {found.chain}."
    return f"{start} {found.why} {found.remedy} Written by itself: {found.echo.label}."


def _as_json(mapping: Mapping, proof: engine.Proof) -> dict[str, Any]:
    return {"mapping": str(mapping), **dataclasses.asdict(proof), "is_fixed": proof.is_fixed}


def _mappings(names: list[str]) -> list[Mapping]:
    """All that a name or id means, in the order given."""
    rows = Mapping.objects.select_related("portal")
    found = list(rows) if not names else []
    for name in names:
        meant = list(rows.filter(pk=name) if name.isdigit() else rows.filter(label=name))
        if not meant:
            known = ", ".join(repr(label) for label in rows.values_list("label", flat=True)) or "none yet"
            raise CommandError(f"There is no mapping {name!r}. Mappings: {known}.")
        found += meant
    return found
