"""``manage.py crmsync_prove``: which values of mappings do not come back as they went."""

import dataclasses
import json
import sys
from collections.abc import Container
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crmsync.engine import prove as engine
from crmsync.flows import prove
from crmsync.ledger import specs, steps
from crmsync.models import Mapping

Accepted = Container[tuple[int, str]]


class Command(BaseCommand):
    """Exit codes: 0 nothing comes back different or it was accepted, 1 no such mapping, 2 something does, or a
    mapping cannot run."""

    help = "Try every option and the boundary values of mappings: Django to HubSpot and back, and the reverse."

    def add_arguments(self, parser) -> None:
        parser.add_argument("mapping", nargs="*", help="Names or ids of mappings; all of them unless told otherwise.")
        parser.add_argument("--json", action="store_true", help="Print the proofs as JSON.")

    def handle(self, *args, mapping: list[str], **options) -> None:
        proofs, refused, is_open = [], False, False
        for one in _mappings(mapping):
            try:
                proof = prove.prove(one)
            except specs.SpecError as error:
                refused = True
                self.stderr.write(str(error))
                continue
            accepted = steps.accepted(one).keys()
            is_open = is_open or bool(proof.open_changes(accepted))
            proofs.append((one, proof, accepted))
        if options["json"]:
            self.stdout.write(json.dumps([_as_json(*each) for each in proofs]))
        else:
            self.stdout.write("\n".join(line for each in proofs for line in lines(*each)))
        if refused or is_open:
            sys.exit(2)


def lines(mapping: Mapping, proof: engine.Proof, accepted: Accepted) -> list[str]:
    """The mapping, its fields that are not at rest, and their findings."""
    tried = sum(one.tried for one in proof.fields)
    count = len(proof.open_changes(accepted))
    told = [f"{mapping}: {tried} values tried, {count} come back different"]
    for one in proof.fields:
        if one.count:
            told.append(f"  {one.local} ↔ {one.remote}, {one.direction.label}: {one.count} of {one.tried}")
        told += [f"    [{_mark(one, found, accepted)}] {_sentence(found)}" for found in one.findings]
        if one.count > len(one.findings):
            told.append(f"    … and {one.count - len(one.findings)} more")
    return told


def _mark(one: engine.FieldProof, found: engine.Finding, accepted: Accepted) -> str:
    """What it means; an accepted one says so."""
    is_accepted = found.verdict is engine.Verdict.CHANGES and (one.field_id, found.key) in accepted
    return "accepted" if is_accepted else f"{found.verdict.value}, {found.kind.label}"


def _sentence(found: engine.Finding) -> str:
    start = f"from {found.starts.label}: {found.chain}."
    return f"{start} {found.why} {found.remedy} Written by itself: {found.echo.label}."


def _as_json(mapping: Mapping, proof: engine.Proof, accepted: Accepted) -> dict[str, Any]:
    plain = {"mapping": str(mapping), **dataclasses.asdict(proof), "is_fixed": proof.is_fixed}
    return plain | {"open_changes": len(proof.open_changes(accepted))}


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
