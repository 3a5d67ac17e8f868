"""A portal that goes on where a killed process was."""

import pytest

from crmsync.fakehub import clock, grants, hub


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "portal.jsonl")


@pytest.fixture
def open_portal(path):
    opened = []

    def open_one():
        opened.append(hub.FakeHub(seed=1, clock=clock.ManualClock(), limits_on=False, state=path))
        return opened[-1]

    yield open_one
    for portal in opened:
        portal.close()


@pytest.fixture
def portal(open_portal):
    return open_portal()


def everything(portal):
    """All of a portal that can be seen from outside."""
    kinds = [kind.id for kind in portal.portal.kinds.values()]
    return {
        "records": {kind: portal.records(kind) for kind in kinds},
        "archived": {kind: portal.records(kind, archived=True) for kind in kinds},
        "edges": sorted(portal.store.graph.dump()),
        "history": {
            (kind, one["id"], name): portal.store.get(portal.portal.kind(kind), int(one["id"])).history(name)
            for kind in kinds
            for one in portal.records(kind)
            for name in one["properties"]
        },
        "ledger": list(portal.ledger.since()),
        "counts": portal.ledger.counts,
        "aliases": {kind: table.aliases for kind, table in portal.store.tables.items()},
        "properties": {
            kind: [prop.data for prop in held.values()] for kind, held in portal.portal.properties.items()
        },
        "grants": {name: getattr(portal.portal.grants, name) for _, name in grants.TABLES.values()},
        "owners": portal.portal.owners,
        "pipelines": portal.portal.pipelines,
        "rules": portal.portal.rules,
        "blocked": portal.portal.blocked_emails,
        "settings": (portal.webhooks.target, portal.portal.associate_by_domain, portal.clock.now_ms()),
        "flags": (portal.portal.name, portal.portal.lacks_scopes, portal.portal.allowances, portal.clock.told()),
        "backlog": portal.webhooks.backlog,
    }


def live(portal, api):
    """A bit of everything."""
    kind = portal.add_object_type("cars", requiredProperties=["vin"])
    portal.add_property(kind, "vin", hasUniqueValue=True)
    portal.add_token("other", ["oauth"], expires_ms=5)
    portal.add_owner("77", "x@fakehub.dev")
    portal.plant_rule("contacts", "phone", when={"city": ["Rome"]})
    portal.set_flags(associate_by_domain=True)
    portal.set_webhooks(target="https://app.lovelace.dev/hook", secret="s")
    portal.add_label("contacts", "companies", "Boss")
    portal.plant("deals", [{"dealname": "Δ\ud83d\ude80", "dealstage": "contractsent", "pipeline": "default"}])
    company = api.create("companies", name="Engines", domain="lovelace.dev")
    one, two = (
        api.create("contacts", email="a@lovelace.dev"),
        api.create("contacts", email="b@lovelace.dev", city="x"),
    )
    gone, erased = api.create("contacts", firstname="gone"), api.create("contacts", email="c@lovelace.dev")
    portal.advance(60)
    api.update("contacts", one, firstname="Ada", email="ada@lovelace.dev")
    api.update("contacts", one, firstname="")
    api("DELETE", f"contacts/{gone}")
    api("POST", "contacts/gdpr-delete", {"objectId": erased})
    portal.ui_merge("contacts", one, two)
    api.create(kind, vin="1")
    portal.ui_archive("companies", company)
    portal.ui_restore("companies", company)
    portal.deliver_webhooks(lambda *_: 500)
    portal.ui_update("companies", company, {"city": "Rome"})


def test_all_is_there_again(portal, api, open_portal):
    live(portal, api)
    again = open_portal()
    assert everything(again) == everything(portal)
    assert [one["id"] for one in type(api)(again).search("contacts")["results"]] == [
        one["id"] for one in again.records("contacts")
    ]


def test_grants_go_on(portal, app, open_portal):
    """Fault 25, Fault 26: apps, installs, codes and tokens outlive the process, and so does their end."""
    portal.add_account(7, name="Other", time_zone="Europe/Berlin", lacks_scopes=["tickets"])
    portal.set_oauth(expires_in=100, lifetime_jitter=10, refresh_grace=True)
    portal.set_flags(lacks_scopes=["crm.import"], name="Ours", allowances={"records": 5})
    portal.skew_clock(-300)
    app.connect(hub_id=7)
    app.connect()
    app.refresh()
    held, waiting = dict(app.tokens), app.code()
    portal.change_scopes(remove=["oauth"], token=held["refresh_token"])
    portal.uninstall(client_id=app.client["client_id"], hub_id=7)
    again = open_portal()
    assert everything(again) == everything(portal)
    connector = type(app)(type(app.api)(again))
    assert connector.exchange(waiting)[0] == 200
    assert "oauth" not in connector.refresh(held["refresh_token"])[1]["scopes"]
    third = open_portal()
    assert everything(third) == everything(again)
    third.expire_tokens()
    assert open_portal().portal.tokens == third.portal.tokens


def test_a_restart_keeps_what_was_made_of_the_demo_app(portal, app, open_portal):
    """Its registered redirect URIs, not the fresh ones."""
    again = open_portal()
    again.advance(1)
    assert open_portal().portal.grants.apps[app.client["client_id"]].redirect_uris == (app.redirect,)


def test_it_goes_on_without_taking_an_id_twice_and_still_knows_unique_values(portal, api, open_portal):
    live(portal, api)
    taken = {row.id for row in portal.ledger.changes() if row.type == "contacts"}
    again = open_portal()
    caller = type(api)(again)
    assert caller.create("contacts", firstname="new") not in taken
    assert caller("POST", "contacts", {"properties": {"email": "B@lovelace.dev"}})[0] == 409
    third = open_portal()
    assert everything(third) == everything(again)


def test_webhooks_that_waited_are_delivered_by_the_next_process(portal, api, open_portal):
    live(portal, api)
    backlog = portal.webhooks.backlog
    again = open_portal()
    sent = []
    again.deliver_webhooks(lambda url, headers, body: sent.append(body) or 204)
    assert (backlog > 5, again.webhooks.backlog, len(sent) > 1) == (True, 0, True)
    assert again.webhooks.announcer.last_id >= portal.webhooks.announcer.last_id
    third = open_portal()
    assert third.webhooks.backlog == 0


def test_a_torn_last_line_is_ignored(portal, api, open_portal, tmp_path):
    live(portal, api)
    before = everything(portal)
    with (tmp_path / "portal.jsonl").open("ab") as file:
        file.write(b'["record","0-1",99999,{"email":"torn')
    again = open_portal()
    assert everything(again) == before
    type(api)(again).create("companies", name="after the tear")
    third = open_portal()
    assert everything(third) == everything(again)


def test_reset_empties_the_file(portal, api, open_portal):
    live(portal, api)
    portal.reset()
    again = open_portal()
    assert again.records("contacts") == []
    assert again.ledger.last_seq == 0
    assert again.webhooks.target == ""
