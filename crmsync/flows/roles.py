"""The groups of Django that stand for our roles: what they lack, and what staff gave them besides."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from crmsync.engine import roles


class RoleError(Exception):
    """Why the groups could not be made: one sentence with the remedy."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one group; ``kept`` are permissions that are not the role's and stay all the same."""

    group: str
    is_new: bool
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        return self.is_new or bool(self.added or self.removed)


def plan(*, resets: bool = False) -> list[Change]:
    """What ``apply`` would do, a change a role; RoleError where the permissions are not there yet."""
    _permissions()
    present = _present()
    return [_change(role, present.get(role.group), resets=resets) for role in roles.ROLES]


@transaction.atomic
def apply(*, resets: bool = False) -> list[Change]:
    """Make the groups and give them what they lack; only with ``resets`` is anything taken from them."""
    changes, known = plan(resets=resets), _permissions()
    for one in changes:
        group, _ = Group.objects.get_or_create(name=one.group)
        group.permissions.add(*(known[name] for name in one.added))
        if one.removed:
            taken = [pk for pk, name in _named(group) if name in one.removed]
            group.permissions.remove(*taken)
    return changes


def _change(role: roles.Role, present: frozenset[str] | None, *, resets: bool) -> Change:
    wanted = {f"crmsync.{name}" for name in role.permissions}
    here = present or frozenset()
    extra = tuple(sorted(here - wanted))
    return Change(
        group=role.group,
        is_new=present is None,
        added=tuple(sorted(wanted - here)),
        removed=extra if resets else (),
        kept=() if resets else extra,
    )


def _present() -> Mapping[str, frozenset[str]]:
    names = [role.group for role in roles.ROLES]
    groups = Group.objects.filter(name__in=names).prefetch_related("permissions__content_type")
    return {group.name: frozenset(name for _, name in _named(group)) for group in groups}


def _named(group: Group) -> list[tuple[int, str]]:
    rows = group.permissions.all().select_related("content_type")
    return [(row.pk, f"{row.content_type.app_label}.{row.codename}") for row in rows]


def _permissions() -> Mapping[str, int]:
    rows = Permission.objects.filter(content_type__app_label="crmsync").values_list("codename", "pk")
    known = {f"crmsync.{name}": pk for name, pk in rows}
    missing = sorted({f"crmsync.{name}" for role in roles.ROLES for name in role.permissions} - known.keys())
    if missing:
        raise RoleError(f"There is no permission {', '.join(missing)}. Run migrate first.")
    return known
