"""Associations: whole lists or none, repeated writes that change nothing."""

import pytest

from crmsync.hubspot import associations, errors, types

PRIMARY = {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}
PLAIN = {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}


def partner(id, *kinds):
    return {"toObjectId": id, "associationTypes": list(kinds or (PLAIN,))}


def test_the_captured_list_with_numbers_or_text_as_ids(fake):
    """Section 7: ids are numbers in some versions, text in others."""
    sender = fake(
        [
            {"results": [partner("5790939450", PRIMARY, PLAIN)], "paging": {"next": {"after": "x"}}},
            {"results": [partner(5790939451)]},
        ]
    )
    found = list(associations.iter_all(sender, "contacts", "51", "companies"))
    assert [one.to_id for one in found] == ["5790939450", "5790939451"]
    assert found[0].labels == (
        types.LabelSpec("HUBSPOT_DEFINED", 1, "Primary"),
        types.LabelSpec("HUBSPOT_DEFINED", 279, ""),
    )
    assert [request.target for request in sender.requests] == [
        "/crm/objects/2026-09/contacts/51/associations/companies?limit=500",
        "/crm/objects/2026-09/contacts/51/associations/companies?limit=500&after=x",
    ]
    assert {request.lane for request in sender.requests} == {"associations"}


def test_batch_read_pages_each_record_on_its_own(fake):
    """P21: no association is lost, also where one record has more than a page."""
    sender = fake(
        [
            {
                "status": "COMPLETE",
                "results": [
                    {"from": {"id": "2"}, "to": [partner("20")]},
                    {"from": {"id": "1"}, "to": [partner("10")], "paging": {"next": {"after": "p2"}}},
                ],
            },
            {"results": [{"from": {"id": "1"}, "to": [partner("11")]}]},
        ]
    )
    settled = associations.read_batch(sender, "contacts", "deals", ["1", "2", "3", "1"])
    assert {id: [one.to_id for one in all_] for id, all_ in settled.done.items()} == {
        "1": ["10", "11"],
        "2": ["20"],
        "3": [],
    }
    assert [request.json["inputs"] for request in sender.requests] == [
        [{"id": "1"}, {"id": "2"}, {"id": "3"}],
        [{"id": "1", "after": "p2"}],
    ]
    assert sender.requests[0].path == "/crm/associations/2026-09/contacts/deals/batch/read"
    assert sender.requests[0].reads


def test_half_a_list_is_no_list(fake):
    """Fault 12: a later page that fails must not look like removed associations."""
    first = {"results": [{"from": {"id": "1"}, "to": [partner("10")], "paging": {"next": {"after": "p2"}}}]}
    settled = associations.read_batch(fake([first, errors.RateLimited()]), "contacts", "deals", ["1"])
    assert settled.done == {}
    assert isinstance(settled.failed["1"], errors.RateLimited)


@pytest.mark.parametrize("context", [{"fromObjectId": ["2"]}, {"ids": ["2"]}, {"id": ["2"]}, {}])
def test_a_record_without_associations_in_every_form(fake, context):
    """(unconfirmed) absent, or an item in errors: both are an empty list."""
    item = {
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": "m",
        "context": context,
    }
    body = {"results": [{"from": {"id": "1"}, "to": [partner("10")]}], "errors": [item], "numErrors": 1}
    settled = associations.read_batch(fake([body]), "contacts", "deals", ["1", "2", "3"])
    assert settled.done["2"] == settled.done["3"] == ()
    assert len(settled.done["1"]) == 1


def test_other_errors_are_no_empty_lists(fake):
    item = {"category": "VALIDATION_ERROR", "subCategory": "crm.associations.INVALID_IDENTIFIER", "message": "m"}
    named = associations.read_batch(
        fake([{"results": [], "errors": [item | {"context": {"ids": ["2"]}}]}]), "contacts", "deals", ["1", "2"]
    )
    assert named.done == {"1": ()}
    assert isinstance(named.failed["2"], errors.ValidationError)
    unnamed = associations.read_batch(fake([{"results": [], "errors": [item]}]), "contacts", "deals", ["1", "2"])
    assert {type(error) for error in unnamed.failed.values()} == {errors.UnknownOutcome}


def test_a_404_for_the_whole_call_is_no_empty_list(fake):
    """Invariant 13: absence is never concluded from an error about something else."""
    settled = associations.read_batch(fake([errors.NotFound(status=404)]), "contacts", "no_such", ["1"])
    assert isinstance(settled.failed["1"], errors.NotFound)
    assert not settled.done


def test_reads_are_cut_at_a_thousand(fake):
    sender = fake(lambda request: {"results": []})
    settled = associations.read_batch(sender, "contacts", "deals", [str(n) for n in range(1_001)])
    assert [len(request.json["inputs"]) for request in sender.requests] == [1_000, 1]
    assert len(settled.done) == 1_001


EDGES = [types.Edge("1", "10"), types.Edge("2", "20")]
LABELS = [types.LabelSpec("HUBSPOT_DEFINED", 1, "Primary"), types.LabelSpec("USER_DEFINED", 36)]
SENT_LABELS = [
    {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1},
    {"associationCategory": "USER_DEFINED", "associationTypeId": 36},
]


def test_associate_default(fake):
    answered = [
        {"from": {"id": "2"}, "to": {"id": "20"}, "associationSpec": {}},
        {"from": {"id": "1"}, "to": {"id": "10"}, "associationSpec": {}},
        {"from": {"id": "10"}, "to": {"id": "1"}, "associationSpec": {}},
    ]
    sender = fake([{"status": "COMPLETE", "results": answered}])
    settled = associations.associate_default(sender, "contacts", "companies", [*EDGES, EDGES[0]])
    assert set(settled.done) == set(EDGES)
    assert sender.requests[0].path == "/crm/associations/2026-09/contacts/companies/batch/associate/default"
    assert sender.requests[0].json == {
        "inputs": [{"from": {"id": "1"}, "to": {"id": "10"}}, {"from": {"id": "2"}, "to": {"id": "20"}}]
    }
    assert not sender.requests[0].reads


def test_labels_are_sent_all_together(fake):
    """P21: sending labels replaces those that are there."""
    sender = fake([{"results": [{"fromObjectId": 1, "toObjectId": 10, "labels": []}]}])
    settled = associations.associate_labelled(sender, "contacts", "companies", EDGES, LABELS)
    assert set(settled.done) == set(EDGES)
    assert sender.requests[0].path == "/crm/associations/2026-09/contacts/companies/batch/create"
    assert sender.requests[0].json["inputs"][0] == {"from": {"id": "1"}, "to": {"id": "10"}, "types": SENT_LABELS}


def test_a_write_that_failed_in_part(fake):
    """Fault 15: the edge an error names fails; the one a result names is done."""
    item = {
        "category": "VALIDATION_ERROR",
        "message": "One or more associations are invalid",
        "context": {"fromObjectId": ["2"], "toObjectId": ["20"]},
    }
    body = {"results": [{"from": {"id": "1"}, "to": {"id": "10"}}], "errors": [item]}
    settled = associations.associate_default(fake([body]), "contacts", "companies", EDGES)
    assert set(settled.done) == {EDGES[0]}
    assert isinstance(settled.failed[EDGES[1]], errors.ValidationError)


def test_a_write_with_an_error_about_nobody_is_unknown(fake):
    body = {"results": [], "errors": [{"category": "VALIDATION_ERROR", "message": "m", "context": {"ids": ["2"]}}]}
    settled = associations.associate_default(fake([body]), "contacts", "companies", EDGES)
    assert {type(settled.failed[edge]) for edge in EDGES} == {errors.UnknownOutcome}


def test_one_bad_edge_is_isolated(fake):
    """Fault 16."""

    def answer(request):
        bad = any(one["from"]["id"] == one["to"]["id"] for one in request.json["inputs"])
        return errors.ValidationError(status=400) if bad else {"results": []}

    edges = [types.Edge(str(n), str(n + (n != 5))) for n in range(20)]
    settled = associations.associate_default(fake(answer), "contacts", "contacts", edges)
    assert set(settled.failed) == {edges[5]}
    assert len(settled.done) == 19


def test_removing(fake):
    sender = fake([None, None])
    assert set(associations.archive(sender, "contacts", "deals", EDGES).done) == set(EDGES)
    assert set(associations.archive_labels(sender, "contacts", "deals", EDGES, LABELS).done) == set(EDGES)
    all_, some = sender.requests
    assert all_.path == "/crm/associations/2026-09/contacts/deals/batch/archive"
    assert all_.json["inputs"][0] == {"from": {"id": "1"}, "to": [{"id": "10"}]}
    assert some.path == "/crm/associations/2026-09/contacts/deals/batch/labels/archive"
    assert some.json["inputs"][0]["types"] == SENT_LABELS


def test_labels_of_a_pair(fake):
    """C6: the ids of custom labels differ from account to account, so they are asked for."""
    sender = fake([{"results": [PRIMARY, PLAIN, {"category": "USER_DEFINED", "typeId": 36, "label": "Boss"}]}])
    found = associations.list_labels(sender, "contacts", "companies")
    assert [(one.type_id, one.category, one.label) for one in found] == [
        (1, "HUBSPOT_DEFINED", "Primary"),
        (279, "HUBSPOT_DEFINED", ""),
        (36, "USER_DEFINED", "Boss"),
    ]
    assert sender.requests[0].path == "/crm/associations/2026-09/contacts/companies/labels"
