"""Every answer has the published shape: validated against documents derived from HubSpot's official SDK."""

import json
import pathlib
import re
from typing import Any

import jsonschema
import pytest

from crmsync.fakehub import routing

FOLDER = pathlib.Path(__file__).parent / "openapi"
# Published operations the portal does not serve.
LEFT_OUT = re.compile(
    r"/definitions/|high-usage-report|/labels|/schemas|property-validations|limits/[^/]*/associations/records"
)
TESTS = 14  # of this file, when none was deselected
FORMATS = jsonschema.FormatChecker(formats=[])


@FORMATS.checks("date-time")
def is_instant(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value) is not None


def read_documents() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path template) -> schema of the success answer, None if it has no body."""
    found = {}
    for path in sorted(FOLDER.glob("derived-*.json")):
        document = json.loads(path.read_text())
        components = translate(document["components"])
        for template, methods in document["paths"].items():
            for method, operation in methods.items():
                content = operation["responses"].get("200", {}).get("content", {})
                schema = content.get("application/json", {}).get("schema")
                found[method.upper(), template] = schema and {**translate(schema), "components": components}
    return found


def translate(schema: Any) -> Any:
    """OpenAPI 3.0's ``nullable`` as JSON Schema; property values can be null, whatever their type says."""
    if isinstance(schema, list):
        return [translate(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: translate(value) for name, value in schema.items() if name != "nullable"}
    if schema.get("nullable") is True and "type" in schema:
        out["type"] = [schema["type"], "null"]
        if "enum" in schema:
            out["enum"] = [*schema["enum"], None]
    if schema.get("additionalProperties") == {"type": "string"}:
        out["additionalProperties"] = {"type": ["string", "null"]}
    return out


DOCUMENTS = read_documents()
SERVED = {key for key in DOCUMENTS if routing.ROUTER.find(key[0], re.sub(r"\{[^}]*\}", "x", key[1]))[0]}


class Checked:
    """An ``Api`` whose answers are validated; ``seen`` are the operations that were."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.seen: set[tuple[str, str]] = set()
        self.templates = {key: re.compile(re.sub(r"\{[^}]*\}", "[^/]+", key[1])) for key in DOCUMENTS}

    def key_of(self, method: str, path: str) -> tuple[str, str]:
        fits = [key for key, pattern in self.templates.items() if key[0] == method and pattern.fullmatch(path)]
        return min(fits, key=lambda key: key[1].count("{"))

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        path = self.api.path(path)
        return self._checked(method, path, self.api(method, path, body))

    def form(self, path: str, **fields: Any) -> Any:
        """A POST whose body is a form; the published documents have it as JSON, the prose does not."""
        return self._checked("POST", path, self.api.form(path, **fields))

    def _checked(self, method: str, path: str, told: tuple[int, Any]) -> Any:
        status, answer = told
        assert status in {200, 201, 204}, answer
        key = self.key_of(method, path.partition("?")[0])
        self.seen.add(key)
        schema = DOCUMENTS[key]
        if schema and schema.get("format") == "binary":  # any bytes, or none
            return answer
        assert (schema is None) == (answer is None)
        if schema is not None:
            jsonschema.validate(answer, schema, format_checker=FORMATS)
        return answer


@pytest.fixture(scope="module")
def seen(request):
    """Operations whose answers were validated; after all tests of this file none that is served may be missing."""
    found = set()
    yield found
    if sum(item.path == request.path for item in request.session.items) >= TESTS:
        assert SERVED - found == set()


@pytest.fixture
def ask(api, seen):
    api.version = "2026-03"
    checked = Checked(api)
    yield checked
    seen |= checked.seen


@pytest.mark.parametrize("kind", ["contacts", "companies", "0-3", "notes", "custom"])
def test_records(ask, portal, kind):
    props = {
        "contacts": {"email": "ada@lovelace.dev"}, "companies": {"name": "Engines"}, "notes": {"hs_timestamp": "0"},
        "0-3": {"dealname": "D", "dealstage": "contractsent"}, "custom": {"vin": "1"},
    }[kind]  # fmt: skip
    if kind == "custom":
        kind = portal.add_object_type("cars")
        portal.add_property(kind, "vin")
    one = ask("POST", kind, {"properties": props, "associations": []})["id"]
    ask("GET", f"{kind}/{one}?propertiesWithHistory={next(iter(props))}")
    ask("PATCH", f"{kind}/{one}", {"properties": {"hubspot_owner_id": "41629779"}})
    value = {key: f"b{text}" if key == "email" else text for key, text in props.items()}
    made = ask("POST", f"{kind}/batch/create", {"inputs": [{"properties": value, "objectWriteTraceId": "t"}]})
    two = made["results"][0]["id"]
    if kind != "contacts":
        portal.add_property(kind, "key", hasUniqueValue=True)
    key = {"idProperty": "email", "id": "c@lovelace.dev"} if kind == "contacts" else {"idProperty": "key", "id": "9"}
    ask("POST", f"{kind}/batch/upsert", {"inputs": [{**key, "properties": value | {key["idProperty"]: key["id"]}}]})
    ask("POST", f"{kind}/batch/read", {"inputs": [{"id": one}, {"id": two}], "propertiesWithHistory": list(props)})
    ask("POST", f"{kind}/batch/update", {"inputs": [{"id": one, "properties": {"hubspot_owner_id": ""}}]})
    ask("GET", f"{kind}?limit=1&associations=contacts,companies")
    ask("POST", f"{kind}/search", {"limit": 1, "filterGroups": [], "sorts": [], "after": "0", "properties": []})
    three = ask("POST", f"{kind}/merge", {"primaryObjectId": one, "objectIdToMerge": two})["id"]
    ask("DELETE", f"{kind}/{three}")
    ask("GET", f"{kind}?archived=true")
    ask("POST", f"{kind}/batch/archive", {"inputs": [{"id": three}]})


def test_associations(ask, api):
    one, two = api.create("contacts", firstname="A"), api.create("companies", name="B")
    pair = {"from": {"id": one}, "to": {"id": two}}
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    base = "/crm/associations/2026-03/contacts/companies"
    ask("PUT", f"contacts/{one}/associations/default/companies/{two}")
    ask("PUT", f"contacts/{one}/associations/companies/{two}", types)
    ask("GET", f"contacts/{one}/associations/companies")
    ask("GET", f"contacts/{one}?associations=companies")
    ask("GET", f"{base}/labels")
    ask("POST", f"{base}/batch/associate/default", {"inputs": [pair]})
    ask("POST", f"{base}/batch/create", {"inputs": [{**pair, "types": types}]})
    ask("POST", f"{base}/batch/read", {"inputs": [{"id": one}]})
    ask("POST", f"{base}/batch/labels/archive", {"inputs": [{**pair, "types": types}]})
    ask("POST", f"{base}/batch/archive", {"inputs": [{"from": {"id": one}, "to": [{"id": two}]}]})
    ask("DELETE", f"contacts/{one}/associations/companies/{two}")


def test_properties(ask, portal):
    path = "/crm/properties/2026-03/contacts"
    new = {"name": "vip", "label": "VIP", "type": "string", "fieldType": "text", "groupName": "crmsync"}
    ask("POST", f"{path}/groups", {"name": "crmsync", "label": "Sync"})
    ask("GET", f"{path}/groups")
    ask("GET", f"{path}/groups/crmsync")
    ask("PATCH", f"{path}/groups/crmsync", {"label": "CRM sync"})
    ask("POST", path, new)
    ask("PATCH", f"{path}/vip", {"label": "V"})
    ask("GET", f"{path}/vip")
    ask("GET", path)
    ask("POST", f"{path}/batch/create", {"inputs": [{**new, "name": "vup"}]})
    ask("POST", f"{path}/batch/read", {"inputs": [{"name": "vup"}], "archived": False})
    ask("POST", f"{path}/batch/archive", {"inputs": [{"name": "vup"}]})
    ask("DELETE", f"{path}/vip")
    ask("GET", f"{path}?archived=true")
    ask("DELETE", f"{path}/groups/crmsync")


def test_pipelines(ask):
    path = "/crm/pipelines/2026-03/deals"
    stage = {"label": "One", "displayOrder": 0, "metadata": {"probability": "0.5"}}
    ask("GET", path)
    made = ask("POST", path, {"label": "Second", "displayOrder": 1, "stages": [stage]})["id"]
    ask("GET", f"{path}/{made}")
    ask("PATCH", f"{path}/{made}", {"label": "2"})
    ask("PUT", f"{path}/{made}", {"label": "Two", "displayOrder": 1, "stages": [stage]})
    ask("GET", f"{path}/{made}/audit")
    more = ask("POST", f"{path}/{made}/stages", stage)["id"]
    ask("GET", f"{path}/{made}/stages")
    ask("GET", f"{path}/{made}/stages/{more}")
    ask("PATCH", f"{path}/{made}/stages/{more}", {"label": "x"})
    ask("PUT", f"{path}/{made}/stages/{more}", stage)
    ask("GET", f"{path}/{made}/stages/{more}/audit")
    ask("DELETE", f"{path}/{made}/stages/{more}")
    ask("DELETE", f"{path}/{made}")


def test_owners_schemas_and_account(ask, portal):
    kind = portal.add_object_type("cars", requiredProperties=["vin"])
    ask("GET", "/crm/owners/2026-03?limit=1")
    ask("GET", "/crm/owners/2026-03/41629779")
    ask("GET", "/crm-object-schemas/2026-03/schemas")
    ask("GET", f"/crm-object-schemas/2026-03/schemas/{kind}")
    ask("GET", "/account-info/2026-03/details")
    ask("GET", "/account-info/2026-03/api-usage/daily/private-apps")


def test_rules(ask, portal):
    portal.plant_rule("contacts", "phone")
    portal.plant_rule("contacts", "city", rule_type="MAX_LENGTH", arguments=["3"])
    ask("GET", "/crm/property-validations/2026-03/0-1")


def test_limits(ask, portal):
    portal.add_object_type("cars")
    portal.add_label("contacts", "companies", "Boss")
    for name in ("records", "custom-properties", "custom-object-types", "pipelines", "calculated-properties"):
        ask("GET", f"/crm/limits/2026-03/{name}")
    assert ask("GET", "/crm/limits/2026-03/associations/labels")["results"]


def test_tokens_and_installs(ask, app, seen):
    """X4, C13: one install's life; both kinds of token answers and of introspections."""
    path = "/oauth/2026-03/token"
    more = {"grant_type": "authorization_code", "redirect_uri": app.redirect, **app.client}
    made = ask.form(path, code=app.code(), **more)
    made = ask.form(path, grant_type="refresh_token", refresh_token=made["refresh_token"], **app.client)
    ask.form(path, grant_type="client_credentials", scope="developer.webhooks_journal.read", **app.client)
    for name in ("access_token", "refresh_token"):
        assert ask.form(f"{path}/introspect", token=made[name], **app.client)["token_use"] == name
    ask.form(f"{path}/revoke", token=made["refresh_token"], **app.client)
    caller = Checked(type(ask.api)(ask.api.portal, token=made["access_token"]))
    caller("DELETE", "/appinstalls/2026-03/external-install")
    seen |= caller.seen


def test_what_is_published_and_not_served():
    assert [key for key in DOCUMENTS.keys() - SERVED if not LEFT_OUT.search(key[1])] == []
    assert len(SERVED) > 50


def test_the_validation_finds_a_missing_field(ask, api, monkeypatch):
    one = api.create("contacts", firstname="A")
    answer = {**api.get(f"contacts/{one}"), "updatedAt": "2026-01-01"}
    monkeypatch.setattr(ask, "api", type("Api", (), {"path": api.path, "__call__": lambda *_: (200, answer)})())
    with pytest.raises(jsonschema.ValidationError, match="date-time"):
        ask("GET", f"contacts/{one}")
    del answer["updatedAt"]
    with pytest.raises(jsonschema.ValidationError, match="required property"):
        ask("GET", f"contacts/{one}")
