"""The groups of our roles: made by a command, never less than staff gave them, and enough for their pages."""

import io
import json

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from crmsync.engine import roles as table
from crmsync.flows import roles
from tests import factories

pytestmark = pytest.mark.django_db
NAMES = ["Viewer", "Operator", "Mapper", "Connector", "Auditor", "Approver"]


def run(*args: str) -> tuple[int, str]:
    """(exit code, what was printed) of the command."""
    out = io.StringIO()
    try:
        call_command("crmsync_roles", *args, stdout=out)
    except SystemExit as end:
        return int(end.code), out.getvalue()
    return 0, out.getvalue()


def held(name: str) -> set[str]:
    rows = Group.objects.get(name=f"crmsync: {name}").permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


def give(name: str, codename: str, app: str = "crmsync") -> None:
    permission = Permission.objects.get(codename=codename, content_type__app_label=app)
    Group.objects.get(name=f"crmsync: {name}").permissions.add(permission)


def take(name: str, codename: str) -> None:
    permission = Permission.objects.get(codename=codename, content_type__app_label="crmsync")
    Group.objects.get(name=f"crmsync: {name}").permissions.remove(permission)


def test_every_role_becomes_a_group_and_a_second_run_changes_nothing() -> None:
    code, said = run()
    assert code == 0
    assert all(f"crmsync: {name}: new" in said for name in NAMES)
    assert "    + crmsync.operate_sync\n" in said
    assert Group.objects.count() == len(NAMES)
    before = {name: held(name) for name in NAMES}
    code, said = run()
    assert said.splitlines() == [f"crmsync: {name}: as it should be" for name in NAMES]
    assert {name: held(name) for name in NAMES} == before


def test_a_dry_run_says_what_would_be_done_and_does_nothing() -> None:
    code, said = run("--dry-run")
    assert code == 3
    assert "crmsync: Viewer: new" in said
    assert not Group.objects.exists()
    run()
    assert run("--dry-run")[0] == 0


def test_what_staff_added_stays_and_what_is_missing_comes_back() -> None:
    run()
    give("Viewer", "operate_sync")
    give("Viewer", "view_person", "demo")
    take("Viewer", "view_link")
    _, said = run("--json")
    viewer = next(one for one in json.loads(said) if one["group"] == "crmsync: Viewer")
    assert viewer == {
        "group": "crmsync: Viewer",
        "is_new": False,
        "added": ["crmsync.view_link"],
        "removed": [],
        "kept": ["crmsync.operate_sync", "demo.view_person"],
    }
    assert {"crmsync.operate_sync", "demo.view_person", "crmsync.view_link"} <= held("Viewer")


def test_a_reset_takes_what_staff_added_from_our_groups_only() -> None:
    run()
    own = Group.objects.create(name="Viewer")
    own.permissions.add(Permission.objects.get(codename="operate_sync"))
    give("Viewer", "operate_sync")
    assert run("--reset", "--dry-run")[0] == 3
    assert "crmsync.operate_sync" in held("Viewer")
    _, said = run("--reset")
    assert "    - crmsync.operate_sync\n" in said
    assert held("Viewer") == {f"crmsync.{name}" for name in table.ROLES[0].permissions}
    assert own.permissions.count() == 1


def test_without_the_tables_permissions_nothing_is_made() -> None:
    Permission.objects.filter(codename="approve_mapping").delete()
    with pytest.raises(CommandError, match=r"crmsync\.approve_mapping.*migrate"):
        run()
    assert not Group.objects.exists()


def test_every_permission_of_our_own_belongs_to_a_role() -> None:
    """A new custom permission that no role has fails here; nobody but a mapper and a connector edits anything."""
    own = {name for model in apps.get_app_config("crmsync").get_models() for name, _ in model._meta.permissions}
    assert own <= set().union(*(role.permissions for role in table.ROLES))
    editors = {role.name for role in table.ROLES if any(p.startswith(("add_", "change_")) for p in role.permissions)}
    assert editors == {"Mapper", "Connector"}


def test_a_mapper_cannot_approve_and_an_approver_cannot_map() -> None:
    """A5: two persons, unless somebody is given both roles."""
    by_name = {role.name: role.permissions for role in table.ROLES}
    assert "approve_mapping" not in by_name["Mapper"]
    assert not any(one.startswith("change_") for one in by_name["Approver"])
    assert [name for name, held in by_name.items() if "view_payload" in held] == ["Auditor"]
    assert [name for name, held in by_name.items() if "connect_portal" in held] == ["Connector"]


PAGES = {
    "portal_changelist": set(NAMES),
    "mapping_changelist": set(NAMES),
    "link_changelist": set(NAMES),
    "mapping_add": {"Mapper"},
    "syncrule_add": {"Mapper"},
    "portal_add": {"Connector"},
    "outboxentry_changelist": {"Operator", "Mapper", "Auditor"},
    "logentry_changelist": {"Operator", "Mapper", "Auditor"},
    "conflict_changelist": {"Operator", "Mapper", "Auditor"},
    "edge_changelist": {"Operator", "Mapper", "Auditor"},
    "delivery_changelist": {"Auditor"},
    "fieldmapping_changelist": {"Mapper", "Auditor", "Approver"},
}


@pytest.mark.parametrize("name", NAMES)
def test_a_group_opens_the_pages_of_its_role_and_no_other(name: str) -> None:
    """Section 2 of the roles, through the admin itself."""
    run()
    user = factories.UserFactory()
    user.groups.add(Group.objects.get(name=f"crmsync: {name}"))
    client = Client()
    client.force_login(user)
    opened = {page for page in PAGES if client.get(reverse(f"admin:crmsync_{page}")).status_code == 200}
    assert opened == {page for page, names in PAGES.items() if name in names}


def test_a_change_says_itself_whether_it_is_one() -> None:
    assert roles.Change("x", is_new=True).is_change
    assert not roles.Change("x", is_new=False, kept=("crmsync.operate_sync",)).is_change
