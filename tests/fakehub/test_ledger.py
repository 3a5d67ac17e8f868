"""The ledger, and that everything follows the seed."""

import random

from crmsync.fakehub import clock, hub, ledger


def test_every_request_has_a_row(api, portal):
    api("GET", "contacts?limit=5")
    api("POST", "contacts", {"properties": {"firstname": "Ada"}})
    api("POST", "contacts", {"properties": {"nope": "x"}})
    api("POST", "contacts/search", {})
    api("GET", "/nowhere")
    rows = portal.ledger.requests()
    assert [(r.method, r.operation, r.family, r.status, r.applied) for r in rows] == [
        ("GET", "objects.list", "read", 200, True),
        ("POST", "objects.create", "write", 201, True),
        ("POST", "objects.create", "write", 400, False),
        ("POST", "objects.search", "search", 200, True),
        ("GET", "unknown", "other", 404, False),
    ]
    assert (rows[0].path, rows[0].query) == ("/crm/objects/2026-09/contacts", "limit=5")
    assert rows[1].body == '{"properties": {"firstname": "Ada"}}'
    assert [row.operation for row in portal.ledger.writes()] == ["objects.create"]


def test_every_value_has_a_row_and_so_has_a_records_life(api, portal):
    one = api.create("contacts", firstname="Ada")
    api.update("contacts", one, firstname="Augusta", lastname="")
    portal.ui_update("contacts", one, {"firstname": ""})
    api("DELETE", f"contacts/{one}")
    rows = [(row.property, row.old, row.new, row.source) for row in portal.ledger.changes()]
    app, person = "INTEGRATION:19083857", "CRM_UI:userId:75514748"
    assert rows == [
        ("*", "", "created", app),
        ("firstname", "", "Ada", app),
        ("firstname", "Ada", "Augusta", app),
        ("firstname", "Augusta", "", person),
        ("*", "", "archived", app),
    ]


def test_merges_and_associations_have_rows(api, portal):
    one, two = api.create("contacts", firstname="A"), api.create("contacts", lastname="B")
    company = api.create("companies", name="C")
    seq = portal.ledger.last_seq
    api("PUT", f"contacts/{one}/associations/default/companies/{company}")
    new = portal.ui_merge("contacts", one, two)
    rows = [(row.id, row.property, row.old, row.new) for row in portal.ledger.changes(since=seq)]
    assert rows[0] == (one, f"associations/0-2/{company}", "", "279")
    assert (new, "*", "", "created_by_merge") in rows
    assert rows[-2:] == [(one, "*", "live", f"merged:{new}"), (two, "*", "live", f"merged:{new}")]


def test_sequence_numbers_run_through_all_rows(api, portal):
    portal.set_webhooks(target="https://app.lovelace.dev/hook")
    portal.ui_create("contacts", {"firstname": "Ada"})
    portal.deliver_webhooks(lambda *_: 204)
    api("GET", "contacts")
    assert [row.seq for row in portal.ledger.since()] == list(range(1, portal.ledger.last_seq + 1))
    assert {type(row) for row in portal.ledger.since()} == {ledger.ChangeRow, ledger.DeliveryRow, ledger.RequestRow}
    assert len(list(portal.ledger.since(sort="delivery"))) == 1


def play(make_api, seed):
    """A short random life of a portal."""
    portal = hub.FakeHub(seed=seed, clock=clock.ManualClock(), limits_on=False, search_lag=1.0)
    api, dice = make_api(portal), random.Random(5)
    portal.set_webhooks(target="https://app.lovelace.dev/hook", duplicate=0.2, reorder=0.2, lose=0.1)
    portal.plant_fault("status", probability=0.1, times=None)
    portal.plant_fault("partial", operation="batch.create", times=None)
    sent = []
    for number in range(60):
        inputs = [
            {"objectWriteTraceId": str(n), "properties": {"email": f"u{dice.randint(0, 40)}@lovelace.dev"}}
            for n in range(5)
        ]
        api("POST", "contacts/batch/create", {"inputs": inputs})
        portal.ui_create("companies", {"name": str(number)})
        portal.advance(dice.random())
        api("POST", "contacts/search", {"filterGroups": []})
        portal.deliver_webhooks(lambda url, headers, body: sent.append(body) or dice.choice([200, 200, 500]))
    return list(portal.ledger.since()), sent


def test_the_same_seed_gives_the_same_ledger_and_the_same_webhooks(api):
    assert play(type(api), 3) == play(type(api), 3)
    assert play(type(api), 3) != play(type(api), 4)
