"""What crmsync notes before it writes to HubSpot is committed then, also on pages of sites with ATOMIC_REQUESTS."""

import pytest
from django.db import connections

from crmsync.flows import apply, versions
from crmsync.models import CanaryRecord, Link, Mapping
from project.demo.models import Person
from tests import factories


class Killed(BaseException):
    """A process that is gone: no net catches it."""


@pytest.fixture
def mapping(hubspot) -> Mapping:
    return factories.make_mapping(portal__hub_id=4242)


@pytest.fixture(autouse=True)
def atomic(monkeypatch) -> None:
    """Each request is a transaction, and the process ends just after HubSpot was written."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    def dies_after(plain):
        def act(one, works) -> None:
            plain(one, works)
            raise Killed

        return act

    for name in ("_create_remote", "_update_remote"):
        monkeypatch.setattr(apply, name, dies_after(getattr(apply, name)))


def test_a_canary_that_is_killed_can_be_put_back(boss, pages, mapping, hubspot) -> None:
    """F20: what was there before is known."""
    person = Person.objects.create(first_name="Ada", email="ada@example.com")
    key = hubspot.ui_create("contacts", {"email": person.email})
    facts = {"portal": mapping.portal, "object_type": "contacts", "local_pk": str(person.pk), "remote_id": key}
    link = Link.objects.create(mapping=mapping, create_key="k", **facts)
    version = versions.prepare(mapping, None)
    with pytest.raises(Killed):
        boss.post(pages.at("mapping_canary", version.pk), {"link": link.pk})
    assert [each["before"] for each in CanaryRecord.objects.get().writes if each["field"] == "first_name|firstname"]


@pytest.mark.parametrize(("page", "field"), [("mapping_once", "local_pk"), ("mapping_trial", "local_pk")])
def test_a_record_that_is_made_is_not_forgotten(boss, pages, mapping, hubspot, page: str, field: str) -> None:
    """X3, L3: the link with its create key is there before HubSpot is asked, so that none is made twice."""
    person = Person.objects.create(first_name="Ada", email="ada@example.com")
    with pytest.raises(Killed):
        boss.post(pages.at(page, mapping.pk), {field: str(person.pk)})
    (made,) = hubspot.records("contacts")
    assert Link.objects.get().create_key == made["properties"]["crmsync_key"]
