"""Steps: what was done with a mapping and by whom, its configuration then, and what of its proof was accepted."""

from collections import defaultdict
from collections.abc import Iterable

from django.db import models

from crmsync.engine import terms
from crmsync.models import AcceptedProof, Mapping, MappingStep

# What the note of an edit begins with; other steps have a person's note, or the reason of a stop.
EDITED, CREATED = "edited", "created"
_NOTE = 300


def record(
    mapping: Mapping, state: str, *, by_id: int | None = None, note: str = "", config: str = ""
) -> MappingStep:
    """Remember a step of a mapping at its present revision."""
    return MappingStep.objects.create(
        mapping=mapping, revision=mapping.revision, state=state, by_id=by_id, note=note[:_NOTE], config=config
    )


def record_all(mappings: Iterable[Mapping], state: str, note: str) -> None:
    """What happened to several mappings at once, by nobody; an edit keeps their configuration, this does not."""
    MappingStep.objects.bulk_create(
        MappingStep(mapping=one, revision=one.revision, state=state, note=note[:_NOTE]) for one in mappings
    )


def latest(mapping: Mapping, state: str) -> MappingStep | None:
    """The last step of a kind; a mapping that is live can be tested and approved again."""
    return mapping.steps.filter(state=state).select_related("by").first()


def author_id(mapping: Mapping) -> int | None:
    """Who made the present revision, where that is known: its first step is the edit."""
    first = mapping.steps.filter(revision=mapping.revision).order_by("id").first()
    return first.by_id if first else None


def is_only_paused(mapping: Mapping) -> bool:
    """Whether the mapping was running as it is now before it was paused."""
    rows = mapping.steps.filter(revision=mapping.revision, state=terms.MappingState.PAUSED)
    return mapping.state == terms.MappingState.PAUSED and any(
        not is_edit(note) for note in rows.values_list("note", flat=True)
    )


def is_edit(note: str) -> bool:
    """Whether a step made its revision."""
    return note.partition(":")[0] in (EDITED, CREATED)


def history(mapping: Mapping) -> list[MappingStep]:
    """All that is remembered of a mapping, the newest first; ``has_config`` instead of the configurations."""
    kept = models.ExpressionWrapper(~models.Q(config=""), output_field=models.BooleanField())
    return list(mapping.steps.select_related("by").defer("config").annotate(has_config=kept))


def config_of(mapping: Mapping, revision: int) -> str:
    """The configuration of a revision; empty where it is not remembered."""
    rows = mapping.steps.filter(revision=revision).exclude(config="")
    return rows.values_list("config", flat=True).first() or ""


def accepted(mapping: Mapping) -> dict[tuple[int, str], AcceptedProof]:
    """What persons accepted of the proof of a mapping's fields, by field id and key."""
    rows = AcceptedProof.objects.filter(field__mapping=mapping).select_related("by")
    return {(one.field_id, one.key): one for one in rows}


def accept(found: Iterable[tuple[int, str]], by_id: int | None) -> None:
    """Remember that a person accepts these findings, given as field ids and keys; who came first stays."""
    AcceptedProof.objects.bulk_create(
        (AcceptedProof(field_id=field_id, key=key, by_id=by_id) for field_id, key in found), ignore_conflicts=True
    )


def withdraw(mapping: Mapping, field_id: int, key: str) -> bool:
    """Forget that a finding of a mapping's field was accepted; whether it was."""
    count, _each = AcceptedProof.objects.filter(field__mapping=mapping, field=field_id, key=key).delete()
    return bool(count)


def prune(keep: int) -> int:
    """Forget all but the last ``keep`` edits and as many other steps of each mapping; how many.

    The last test and the last approval stay: they say what the mapping may do.
    """
    seen: dict[tuple[int, bool], int] = defaultdict(int)
    last: set[tuple[int, str]] = set()
    gone = []
    rows = MappingStep.objects.order_by("-id")
    for pk, mapping_id, state, note in rows.values_list("pk", "mapping_id", "state", "note"):
        key = (mapping_id, is_edit(note))
        seen[key] += 1
        is_last = state in _DECISIVE and (mapping_id, state) not in last
        last.add((mapping_id, state))
        if seen[key] > keep and not is_last:
            gone.append(pk)
    MappingStep.objects.filter(pk__in=gone).delete()
    return len(gone)


_DECISIVE = (terms.MappingState.TESTED, terms.MappingState.APPROVED)
