"""Batches of records: nothing lost, nothing twice, nothing matched by place."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.hubspot import errors, objects, types

GONE = {
    "category": "OBJECT_NOT_FOUND",
    "message": "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid.",
}
INVALID = {"category": "VALIDATION_ERROR", "message": "Property values were not valid: []"}


def record(id, trace="", new=None, **properties):
    raw = {"id": id, "properties": properties, "createdAt": "2026-01-01T00:00:00Z", "archived": False}
    raw |= {"objectWriteTraceId": trace} if trace else {}
    return raw | ({"new": new} if new is not None else {})


def creates(*traces, **values):
    return [types.CreateInput(trace, {"email": f"{trace}@x.test", **values}) for trace in traces]


class Portal:
    """Answers creates as HubSpot does with trace ids: in any order, each on its own merits."""

    def __init__(self, bad=(), poison=(), seed=0):
        self.bad, self.poison, self.random = set(bad), set(poison), random.Random(seed)
        self.created = []
        self.calls = 0

    def __call__(self, request):
        self.calls += 1
        inputs = list(request.json["inputs"])
        if self.poison & {one["objectWriteTraceId"] for one in inputs}:
            return errors.ValidationError(status=400, category="VALIDATION_ERROR")
        self.random.shuffle(inputs)
        results, items = [], []
        for one in inputs:
            trace = one["objectWriteTraceId"]
            if trace in self.bad:
                items.append(INVALID | {"context": {"objectWriteTraceId": [trace]}})
            else:
                self.created.append(trace)
                results.append(record(f"9{trace}", trace, **one["properties"]))
        return {"status": "COMPLETE", "results": results, "numErrors": len(items), "errors": items}


traces = st.lists(st.integers(0, 999).map(str), min_size=1, max_size=250, unique=True)


@settings(deadline=None)
@given(traces, st.randoms(use_true_random=False))
def test_a_207_in_any_order_settles_each_input_alone(fake, chosen, rng):
    """Fault 15: random subsets fail, answers never in input order."""
    bad = {trace for trace in chosen if rng.random() < 0.3}
    portal = Portal(bad, seed=rng.randrange(10**6))
    settled = objects.create_batch(fake(portal), "contacts", creates(*chosen))
    assert set(settled.failed) == bad
    assert {trace: one.id for trace, one in settled.done.items()} == {t: f"9{t}" for t in chosen if t not in bad}
    assert all(isinstance(error, errors.ValidationError) for error in settled.failed.values())
    assert sorted(portal.created) == sorted(set(chosen) - bad)
    assert portal.calls == -(-len(chosen) // 100)


@settings(deadline=None)
@given(traces, st.randoms(use_true_random=False))
def test_a_whole_batch_refused_is_bisected_until_the_bad_stand_alone(fake, chosen, rng):
    """Fault 16: only the bad ones are quarantined; good ones are done exactly once."""
    poison = set(rng.sample(chosen, min(len(chosen), rng.randrange(4))))
    portal = Portal(poison=poison)
    settled = objects.create_batch(fake(portal), "contacts", creates(*chosen))
    assert set(settled.failed) == poison
    assert set(settled.done) == set(chosen) - poison
    assert sorted(portal.created) == sorted(set(chosen) - poison)


def test_bisecting_costs_few_calls(fake):
    """Fault 16: one bad input among a hundred takes at most 2 * log2(100) + 1 calls."""
    portal = Portal(poison={"57"})
    objects.create_batch(fake(portal), "contacts", creates(*map(str, range(100))))
    assert portal.calls <= 15


@pytest.mark.parametrize("kind", [errors.ValidationError, errors.Conflict, errors.NotFound])
def test_every_refusal_that_can_be_one_input_s_fault_is_bisected(fake, kind):
    """Fault 16: 400, 409 and 404."""

    def answer(request):
        ids = [one["id"] for one in request.json["inputs"]]
        return kind(status=400) if "2" in ids else {"results": [record(id) for id in reversed(ids)]}

    settled = objects.update_batch(fake(answer), "contacts", [types.UpdateInput(id, {"a": "b"}) for id in "1234"])
    assert list(settled.failed) == ["2"]
    assert type(settled.failed["2"]) is kind
    assert {id: one.id for id, one in settled.done.items()} == {id: id for id in "134"}


def test_an_unknown_property_is_isolated_by_its_name(fake):
    """Fault 32: a property that is gone fails the inputs that carry it, in one call and not in two hundred."""
    problem = errors.PropertyProblem("gone", "PROPERTY_DOESNT_EXIST", "m")

    def answer(request):
        inputs = request.json["inputs"]
        if any("gone" in one["properties"] for one in inputs):
            return errors.ValidationError(problems=(problem,))
        return {"results": [record(one["id"]) for one in inputs]}

    inputs = [types.UpdateInput(str(n), {"gone": "x"} if n % 2 else {"a": "x"}) for n in range(100)]
    sender = fake(answer)
    settled = objects.update_batch(sender, "contacts", inputs)
    assert set(settled.failed) == {str(n) for n in range(100) if n % 2}
    assert len(settled.done) == 50
    assert len(sender.requests) == 2


def test_two_inputs_that_resolve_to_one_record_are_sent_apart(fake):
    """Fault 15: HubSpot refuses both in one batch; alone each is fine."""

    def answer(request):
        inputs = request.json["inputs"]
        if len(inputs) > 1:
            return errors.ValidationError(category="VALIDATION_ERROR")
        return {"results": [record("7", inputs[0]["objectWriteTraceId"], new=False)]}

    inputs = [types.UpsertInput("A1", "number", {}, "t1"), types.UpsertInput("A-1", "number", {}, "t2")]
    settled = objects.upsert_batch(fake(answer), "contacts", inputs)
    assert {trace: one.id for trace, one in settled.done.items()} == {"t1": "7", "t2": "7"}


# ---- errors that are nobody's fault


@pytest.mark.parametrize(
    "error",
    [
        errors.RateLimited(policy="DAILY", retry_after=9.0),
        errors.Unauthorized(status=401),
        errors.MissingScopes(scopes=("a",)),
        errors.Locked(retry_after=2.0),
        errors.Moving(retry_after=60.0),
        errors.Unreachable("x"),
        errors.HubSpotError(status=405),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_stops_the_call_and_nothing_is_lost(fake, error):
    """Fault 9, 26: earlier chunks stay done; the failed chunk and what was not sent carry the error."""
    portal = Portal()
    sender = fake(lambda request: error if portal.calls else portal(request))
    settled = objects.create_batch(sender, "contacts", creates(*map(str, range(350))))
    assert set(settled.done) == {str(n) for n in range(100)}
    assert set(settled.failed) == {str(n) for n in range(100, 350)}
    assert all(one is error for one in settled.failed.values())
    assert len(sender.requests) == 2


@pytest.mark.parametrize(
    "error", [errors.UnknownOutcome("cut", status=200), errors.ServerError(status=504, retry_after=5.0)]
)
def test_only_what_was_sent_may_have_been_applied(fake, error):
    """Fault 13: a timeout makes its own chunk unknown; the rest certainly did not happen."""
    sender = fake([error])
    settled = objects.create_batch(sender, "contacts", creates(*map(str, range(150))))
    assert not settled.done
    assert all(settled.failed[str(n)] is error for n in range(100))
    rest = [settled.failed[str(n)] for n in range(100, 150)]
    assert all(type(one) is errors.Unreachable and one.retry_after == error.retry_after for one in rest)


def test_a_limit_in_the_middle_of_a_bisection_keeps_what_is_done(fake):
    """Fault 9 and 16 together."""
    refused, limited = errors.ValidationError(), errors.RateLimited()
    settled = objects.create_batch(
        fake([refused, {"results": [record("1", "a"), record("2", "b")]}, limited]), "contacts", creates(*"abcd")
    )
    assert set(settled.done) == {"a", "b"}
    assert settled.failed == {"c": limited, "d": limited}


@pytest.mark.parametrize("body", [None, {}, {"results": None}, {"results": "x"}, {"status": "COMPLETE"}])
def test_an_answer_without_results_is_unknown_for_all(fake, body):
    """Fault 14."""
    settled = objects.create_batch(fake([body]), "contacts", creates("a", "b"))
    assert set(settled.failed) == {"a", "b"}
    assert all(isinstance(error, errors.UnknownOutcome) for error in settled.failed.values())


# ---- how creates are matched


def test_what_is_sent_to_create(fake):
    label = types.LabelSpec("HUBSPOT_DEFINED", 279)
    one = types.CreateInput("t1", {"email": "a@x.test", "phone": None}, (types.InlineAssociation("5", (label,)),))
    sender = fake(Portal())
    objects.create_batch(sender, "0-1", [one])
    assert sender.requests[0].path == "/crm/objects/2026-09/0-1/batch/create"
    assert sender.requests[0].json == {
        "inputs": [
            {
                "objectWriteTraceId": "t1",
                "properties": {"email": "a@x.test", "phone": ""},
                "associations": [
                    {
                        "to": {"id": "5"},
                        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}],
                    }
                ],
            }
        ]
    }
    assert not sender.requests[0].reads


def test_the_captured_create_conflict(fake):
    """Fault 15, 40: a taken e-mail inside a 207 names the input and the record that has it."""
    item = {
        "category": "CONFLICT",
        "message": "Contact already exists. Existing ID: 171591000198",
        "context": {"objectWriteTraceId": ["0"], "existingId": ["171591000198"]},
    }
    settled = objects.create_batch(
        fake([{"results": [record("8", "1")], "errors": [item], "numErrors": 1}]), "contacts", creates("0", "1")
    )
    assert settled.done["1"].id == "8"
    assert isinstance(settled.failed["0"], errors.Conflict)
    assert settled.failed["0"].existing_id == "171591000198"


def test_an_error_that_names_nobody_makes_all_unnamed_unknown(fake):
    """Fault 15: which input it means cannot be known, so all of them are read back."""
    settled = objects.create_batch(
        fake([{"results": [record("1", "a")], "errors": [INVALID]}]), "contacts", creates("a", "b", "c")
    )
    assert set(settled.done) == {"a"}
    assert {type(settled.failed[key]) for key in "bc"} == {errors.UnknownOutcome}


def test_an_error_that_names_nobody_belongs_to_the_only_one_left(fake):
    body = {"results": [record("1", "a")], "errors": [INVALID]}
    settled = objects.create_batch(fake([body]), "contacts", creates("a", "b"))
    assert isinstance(settled.failed["b"], errors.ValidationError)


def test_results_without_trace_ids_are_matched_by_their_values(fake):
    """Fault 15: where HubSpot does not echo the trace id, values that fit exactly one input and result do."""
    results = [record("2", email="B@X.test "), record("1", email="a@x.test")]
    settled = objects.create_batch(fake([{"results": results}]), "contacts", creates("a", "b"))
    assert {key: one.id for key, one in settled.done.items()} == {"a": "1", "b": "2"}


def test_results_that_could_be_anybody_s_are_unknown(fake):
    """Fault 13, 15: two inputs alike, answered without trace ids; a guess could link the wrong record."""
    results = [record("2", lastname="Lee"), record("1", lastname="Lee")]
    inputs = [types.CreateInput(trace, {"lastname": "Lee"}) for trace in "ab"]
    settled = objects.create_batch(fake([{"results": results}]), "contacts", inputs)
    assert not settled.done
    assert {type(error) for error in settled.failed.values()} == {errors.UnknownOutcome}


def test_a_single_result_for_a_single_input_needs_no_name(fake):
    settled = objects.create_batch(fake([{"results": [record("1", amount="1")]}]), "deals", creates("a"))
    assert settled.done["a"].id == "1"


def test_a_result_nobody_can_read_makes_its_input_unknown(fake):
    """Fault 14: one broken result does not hide the others."""
    results = [{"id": None, "objectWriteTraceId": "a"}, 7, record("2", "b")]
    settled = objects.create_batch(fake([{"results": results}]), "contacts", creates("a", "b"))
    assert set(settled.done) == {"b"}
    assert isinstance(settled.failed["a"], errors.UnknownOutcome)


def test_success_wins_over_an_error_for_the_same_input(fake):
    body = {"results": [record("1", "a")], "errors": [INVALID | {"context": {"objectWriteTraceId": ["a"]}}]}
    settled = objects.create_batch(fake([body]), "contacts", creates("a", "b"))
    assert settled.done["a"].id == "1"
    assert set(settled.failed) == {"b"}


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["results", "errors", "status", "numErrors"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "context", "properties", "objectWriteTraceId", "ids", "category"]), inner
                )
            ),
            max_leaves=12,
        ),
    )
)
def test_whatever_the_answer_every_input_is_settled_once(fake, body):
    """Fault 14, 15: no answer loses an input or raises."""
    for call, inputs, keys in (
        (objects.create_batch, creates("a", "b"), {"a", "b"}),
        (objects.update_batch, [types.UpdateInput(id, {"x": "y"}) for id in "ab"], {"a", "b"}),
        (objects.archive_batch, ["a", "b"], {"a", "b"}),
    ):
        settled = call(fake(lambda request: body), "contacts", inputs)
        assert set(settled.done) | set(settled.failed) == keys
        assert not set(settled.done) & set(settled.failed)


# ---- update, upsert, archive


def test_the_captured_update_of_a_record_that_is_gone(fake):
    """Fault 15, 29: a 207 item names the id."""
    body = {"results": [record("2")], "errors": [GONE | {"context": {"ids": ["1"]}}]}
    sender = fake([body])
    settled = objects.update_batch(
        sender, "contacts", [types.UpdateInput("1", {"a": None}), types.UpdateInput("2", {"a": "x"})]
    )
    assert isinstance(settled.failed["1"], errors.NotFound)
    assert settled.done["2"].id == "2"
    assert sender.requests[0].json["inputs"][0] == {"id": "1", "properties": {"a": ""}, "objectWriteTraceId": "1"}


def test_an_update_that_answers_under_another_id_was_merged(fake):
    """Fault 28: the survivor's id is the record's own, the key stays what was asked."""
    settled = objects.update_batch(
        fake([{"results": [record("9"), record("2")]}]),
        "contacts",
        [types.UpdateInput("1", {"a": "x"}), types.UpdateInput("2", {"a": "x"})],
    )
    assert settled.done["1"].id == "9"


def test_an_update_nobody_speaks_of_is_unknown(fake):
    settled = objects.update_batch(
        fake([{"results": []}]), "contacts", [types.UpdateInput(id, {"a": "x"}) for id in "12"]
    )
    assert {type(error) for error in settled.failed.values()} == {errors.UnknownOutcome}


def test_upserts_are_matched_by_trace_id_and_say_what_is_new(fake):
    """P: a create that may be repeated; new tells create from update."""
    sender = fake([{"results": [record("2", "t2", new=False), record("1", "t1", new=True)]}])
    inputs = [types.UpsertInput(f"K{n}", "crmsync_key", {"a": "x"}, f"t{n}") for n in (1, 2)]
    settled = objects.upsert_batch(sender, "deals", inputs)
    assert (settled.done["t1"].id, settled.done["t1"].new) == ("1", True)
    assert (settled.done["t2"].id, settled.done["t2"].new) == ("2", False)
    assert sender.requests[0].json["inputs"][0] == {
        "id": "K1",
        "idProperty": "crmsync_key",
        "properties": {"a": "x"},
        "objectWriteTraceId": "t1",
    }


def test_upserts_without_trace_ids_are_matched_by_the_unique_value(fake):
    results = [record("2", crmsync_key="k2 ", a="x"), record("1", crmsync_key="K1", a="x")]
    inputs = [types.UpsertInput(f"K{n}", "crmsync_key", {"a": "x"}, f"t{n}") for n in (1, 2)]
    settled = objects.upsert_batch(fake([{"results": results}]), "deals", inputs)
    assert {trace: one.id for trace, one in settled.done.items()} == {"t1": "1", "t2": "2"}


def test_upsert_errors_may_name_the_unique_value(fake):
    item = INVALID | {"context": {"ids": ["k1"]}}
    inputs = [types.UpsertInput(f"K{n}", "crmsync_key", {}, f"t{n}") for n in (1, 2)]
    settled = objects.upsert_batch(fake([{"results": [record("2", "t2")], "errors": [item]}]), "deals", inputs)
    assert isinstance(settled.failed["t1"], errors.ValidationError)


def test_archive(fake):
    sender = fake([None, None])
    settled = objects.archive_batch(sender, "contacts", [str(n) for n in range(150)])
    assert len(settled.done) == 150
    assert settled.done["7"] == types.ObjectRecord("7", archived=True)
    assert [len(ids) for ids in sender.ids] == [100, 50]
    assert sender.requests[0].path == "/crm/objects/2026-09/contacts/batch/archive"


def test_archive_in_part(fake):
    """Fault 15: an archive that is answered with errors only."""
    body = {"status": "COMPLETE", "errors": [GONE | {"context": {"ids": ["1"]}}]}
    settled = objects.archive_batch(fake([body]), "contacts", ["1", "2"])
    assert isinstance(settled.failed["1"], errors.NotFound)
    assert set(settled.done) == {"2"}
    vague = objects.archive_batch(fake([{"errors": [INVALID]}]), "contacts", ["1", "2"])
    assert {type(error) for error in vague.failed.values()} == {errors.UnknownOutcome}


def test_two_writes_to_one_record_are_refused(fake):
    """Fault 15: the same id twice in one batch is the caller's mistake, told before anything is sent."""
    sender = fake([])
    with pytest.raises(ValueError, match="trace id"):
        objects.create_batch(sender, "contacts", creates("a", "a"))
    with pytest.raises(ValueError, match="id"):
        objects.update_batch(sender, "contacts", [types.UpdateInput("1", {}), types.UpdateInput("1", {})])
    with pytest.raises(ValueError, match="id"):
        objects.archive_batch(sender, "contacts", ["1", "1"])
    with pytest.raises(ValueError, match="unique value"):
        objects.upsert_batch(
            sender,
            "contacts",
            [types.UpsertInput("A@x.test", "email", {}, "1"), types.UpsertInput("a@x.test ", "email", {}, "2")],
        )
    assert not sender.requests


@pytest.mark.parametrize("call", [objects.create_batch, objects.update_batch, objects.archive_batch])
def test_nothing_to_do_sends_nothing(fake, call):
    sender = fake([])
    assert call(sender, "contacts", []) == types.Settled({}, {})
    assert not sender.requests


# ---- read


def test_what_is_sent_to_read(fake):
    """A POST, so that no number of properties makes a 414."""
    sender = fake([{"results": [record("1")]}])
    objects.read_batch(sender, "contacts", ["1"], ["email"], history=["dealstage"], archived=True)
    request = sender.requests[0]
    assert request.reads
    assert request.target == "/crm/objects/2026-09/contacts/batch/read?archived=true"
    assert request.json == {
        "inputs": [{"id": "1"}],
        "properties": ["email"],
        "propertiesWithHistory": ["dealstage"],
    }


def test_missing_records_are_not_found(fake):
    """Fault 29: absence by a direct read."""
    body = {"results": [record("2")], "numErrors": 1, "errors": [GONE | {"context": {"ids": ["1", "3"]}}]}
    settled = objects.read_batch(fake([body]), "contacts", ["1", "2", "3"], [])
    assert set(settled.done) == {"2"}
    assert {type(settled.failed[id]) for id in "13"} == {errors.NotFound}
    quiet = objects.read_batch(fake([{"results": [record("2")]}]), "contacts", ["1", "2", "3"], [])
    assert {type(quiet.failed[id]) for id in "13"} == {errors.NotFound}


@pytest.mark.parametrize(
    "body",
    [
        {"results": [record("2")], "errors": [{"category": "INTERNAL_ERROR", "message": "m"}]},
        {"results": [record("2"), {"id": None}, record("8"), record("9")]},
    ],
    ids=["an error of another kind", "results under other ids"],
)
def test_absence_is_never_concluded_from_a_doubtful_answer(fake, body):
    """Invariant: absence is never taken as deletion unless HubSpot says so."""
    settled = objects.read_batch(fake([body]), "contacts", ["1", "2", "3"], [])
    assert {type(settled.failed[id]) for id in "13"} == {errors.UnknownOutcome}


def test_ids_asked_twice_are_read_once(fake):
    """Fault 15: HubSpot refuses a batch that holds an id twice."""
    sender = fake(lambda request: {"results": [record(one["id"]) for one in request.json["inputs"]]})
    settled = objects.read_batch(sender, "contacts", ["1", "2", "1"], [])
    assert sender.ids == [["1", "2"]]
    assert list(settled.done) == ["1", "2"]


@pytest.mark.parametrize(("history", "sizes"), [((), [100, 100, 20]), (["a"], [50, 50, 50, 50, 20])])
def test_chunks(fake, history, sizes):
    sender = fake(lambda request: {"results": [record(one["id"]) for one in request.json["inputs"]]})
    settled = objects.read_batch(sender, "contacts", [str(n) for n in range(220)], [], history=history)
    assert [len(ids) for ids in sender.ids] == sizes
    assert len(settled.done) == 220


def test_values_of_a_unique_property_are_keys_as_asked(fake):
    """Fault 40: trimmed and lower-cased to compare; asked in two spellings, read once."""
    sender = fake([{"results": [record("2", email="B@x.test"), record("1", email="ada@x.test")]}])
    asked = ["Ada@X.test", " ada@x.test", "b@x.test", "c@x.test"]
    settled = objects.read_batch(sender, "contacts", asked, ["firstname"], id_property="email")
    assert sender.ids == [["Ada@X.test", "b@x.test", "c@x.test"]]
    assert {key: one.id for key, one in settled.done.items()} == {
        "Ada@X.test": "1",
        " ada@x.test": "1",
        "b@x.test": "2",
    }
    assert isinstance(settled.failed["c@x.test"], errors.NotFound)
    assert sender.requests[0].json["idProperty"] == "email"
    assert sender.requests[0].json["properties"] == ["firstname", "email", "hs_additional_emails"]


def test_a_contact_answers_to_its_secondary_emails(fake):
    """Fault 40: a secondary address is no absence."""
    body = {
        "results": [
            record("1", email="a@x.test", hs_additional_emails="old@x.test;Older@x.test"),
            record("2", email="z@x.test"),
        ]
    }
    asked = ["older@x.test", "a@x.test", "z@x.test", "no@x.test"]
    settled = objects.read_batch(fake([body]), "0-1", asked, [], id_property="email")
    assert {key: one.id for key, one in settled.done.items()} == {
        "older@x.test": "1",
        "a@x.test": "1",
        "z@x.test": "2",
    }
    assert isinstance(settled.failed["no@x.test"], errors.NotFound)


def test_only_contacts_have_secondary_emails(fake):
    sender = fake([{"results": []}])
    objects.read_batch(sender, "2-7", ["a"], ["x"], id_property="email")
    assert sender.requests[0].json["properties"] == ["x", "email"]


def test_a_merged_record_answers_under_its_survivor_s_id(fake):
    """Fault 28."""
    settled = objects.read_batch(fake([{"results": [record("9"), record("2")]}]), "contacts", ["1", "2"], [])
    assert settled.done["1"].id == "9"


def test_a_read_keeps_going_where_one_id_is_refused(fake):
    """Fault 16: a malformed id fails alone."""

    def answer(request):
        ids = [one["id"] for one in request.json["inputs"]]
        return errors.ValidationError() if "abc" in ids else {"results": [record(id) for id in ids]}

    settled = objects.read_batch(fake(answer), "contacts", ["1", "abc", "2"], [])
    assert set(settled.done) == {"1", "2"}
    assert isinstance(settled.failed["abc"], errors.ValidationError)


def test_a_record_s_history(fake):
    entry = {"value": "x", "timestamp": "2026-01-01T00:00:00.000Z", "sourceType": "CRM_UI", "sourceId": "userId:1"}
    raw = record("1") | {"propertiesWithHistory": {"a": [entry, {"value": None, "timestamp": 0}]}}
    settled = objects.read_batch(fake([{"results": [raw]}]), "contacts", ["1"], [], history=["a"])
    newest, oldest = settled.done["1"].history["a"]
    assert (newest.value, newest.source_type, newest.source_id) == ("x", "CRM_UI", "userId:1")
    assert newest.timestamp.isoformat() == "2026-01-01T00:00:00+00:00"
    assert (oldest.value, oldest.timestamp.timestamp()) == (None, 0)
