"""Custom objects."""


def test_a_planted_custom_object_has_a_schema_and_records(api, portal):
    kind = portal.add_object_type(
        "cars",
        associated=["0-1"],
        primaryDisplayProperty="model",
        requiredProperties=["vin"],
        labels={"singular": "Car"},
    )
    portal.add_property("p4242_cars", "vin", hasUniqueValue=True)
    portal.add_property(kind, "model")
    (schema,) = api.get("/crm-object-schemas/2026-09/schemas")["results"]
    assert (schema["objectTypeId"], schema["fullyQualifiedName"]) == (kind, "p4242_cars")
    assert (schema["requiredProperties"], schema["labels"]) == (["vin"], {"singular": "Car"})
    assert api.get(f"/crm-object-schemas/2026-03/schemas/{kind}") == schema
    status, body = api("POST", kind, {"properties": {"model": "T"}})
    assert (status, body["context"]["properties"]) == (400, ["vin"])
    car = api.create(kind, vin="1", model="T")
    assert api.get("p4242_cars/1?idProperty=vin&properties=model")["properties"]["model"] == "T"
    contact = api.create("contacts", firstname="Henry")
    number = next(one["typeId"] for one in api.get(f"/crm/associations/2026-09/{kind}/contacts/labels")["results"])
    spec = [{"associationCategory": "USER_DEFINED", "associationTypeId": number}]
    assert api("PUT", f"{kind}/{car}/associations/contacts/{contact}", spec)[0] == 201
    assert list(portal.associated("contacts", contact, kind)) == [car]


def test_standard_objects_have_none_here(api):
    assert api.get("/crm-object-schemas/2026-09/schemas")["results"] == []
    assert api("GET", "/crm-object-schemas/2026-09/schemas/contacts")[0] == 404
