"""Which path means which handler: HubSpot's dated paths, and the legacy v3 and v4 paths as aliases of them.

Every path is listed once, as its dated form; ``{V}`` is a date version. ``LEGACY`` maps prefixes of older paths.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from crmsync.fakehub import (
    account,
    allowances,
    associations,
    batch,
    consent,
    exchange,
    introspection,
    oauth,
    objects,
    owners,
    pipelines,
    properties,
    revocation,
    rules,
    schemas,
    search,
    shapes,
)

VERSIONS = {"2026-03", "2026-09"}
Handler = Callable[[exchange.Call], exchange.Response]


class Route(NamedTuple):
    """``family`` is how the ledger counts it (read, search, write, association, schema, other), ``pool`` the rate
    limit it falls under, ``scope`` what the token must have, ``shape`` that of the body."""

    operation: str
    family: str
    scope: str
    handler: Handler
    pool: str
    shape: Any
    is_public: bool


OBJECT = "/crm/objects/{V}/{type}"
EDGE = OBJECT + "/{id}/associations/{to}/{to_id}"
PAIR = "/crm/associations/{V}/{type}/{to}"
PROPERTY = "/crm/properties/{V}/{type}"
PIPELINE = "/crm/pipelines/{V}/{type}"
STAGES = PIPELINE + "/{pipeline}/stages"
TOKEN, LIMIT = "/oauth/{V}/token", "/crm/limits/{V}/"
OWNERS, CUSTOM = "/crm/owners/{V}", "/crm-object-schemas/{V}/schemas"
READ, WRITE = "objects.read", "objects.write"
READ_OWNERS, READ_CUSTOM = "crm.objects.owners.read", "crm.schemas.custom.read"
SCHEMA, CHANGE = "schemas.read", "schemas.write"

TABLE: list[tuple[str, str, str, str, str, Handler]] = [
    ("GET", OBJECT, "objects.list", "read", READ, objects.list_records),
    ("POST", OBJECT, "objects.create", "write", WRITE, objects.create_record),
    ("GET", OBJECT + "/{id}", "objects.get", "read", READ, objects.get_record),
    ("PATCH", OBJECT + "/{id}", "objects.update", "write", WRITE, objects.update_record),
    ("DELETE", OBJECT + "/{id}", "objects.archive", "write", WRITE, objects.archive_record),
    ("POST", OBJECT + "/merge", "objects.merge", "write", WRITE, objects.merge_records),
    ("POST", OBJECT + "/gdpr-delete", "objects.erase", "write", WRITE, objects.erase_contact),
    ("POST", OBJECT + "/search", "objects.search", "search", READ, search.search),
    ("POST", OBJECT + "/batch/read", "batch.read", "read", READ, batch.read),
    ("POST", OBJECT + "/batch/create", "batch.create", "write", WRITE, batch.create),
    ("POST", OBJECT + "/batch/update", "batch.update", "write", WRITE, batch.update),
    ("POST", OBJECT + "/batch/upsert", "batch.upsert", "write", WRITE, batch.upsert),
    ("POST", OBJECT + "/batch/archive", "batch.archive", "write", WRITE, batch.archive),
    ("GET", OBJECT + "/{id}/associations/{to}", "associations.list", "read", READ, associations.list_neighbours),
    ("PUT", EDGE, "associations.put", "association", WRITE, associations.put_labelled),
    ("DELETE", EDGE, "associations.remove", "association", WRITE, associations.remove),
    (
        "PUT",
        OBJECT + "/{id}/associations/default/{to}/{to_id}",
        "associations.default",
        "association",
        WRITE,
        associations.put_default,
    ),
    ("POST", PAIR + "/batch/read", "associations.read", "read", READ, associations.batch_read),
    ("POST", PAIR + "/batch/create", "associations.create", "association", WRITE, associations.batch_create),
    (
        "POST",
        PAIR + "/batch/associate/default",
        "associations.defaults",
        "association",
        WRITE,
        associations.batch_default,
    ),
    ("POST", PAIR + "/batch/archive", "associations.archive", "association", WRITE, associations.batch_archive),
    (
        "POST",
        PAIR + "/batch/labels/archive",
        "associations.unlabel",
        "association",
        WRITE,
        associations.batch_labels_archive,
    ),
    ("GET", PAIR + "/labels", "associations.labels", "read", READ, associations.list_labels),
    ("GET", PROPERTY, "properties.list", "read", SCHEMA, properties.list_properties),
    ("POST", PROPERTY, "properties.create", "schema", CHANGE, properties.create_property),
    ("GET", PROPERTY + "/{name}", "properties.get", "read", SCHEMA, properties.get_property),
    ("PATCH", PROPERTY + "/{name}", "properties.update", "schema", CHANGE, properties.update_property),
    ("DELETE", PROPERTY + "/{name}", "properties.archive", "schema", CHANGE, properties.archive_property),
    ("POST", PROPERTY + "/batch/create", "properties.batch_create", "schema", CHANGE, properties.batch_create),
    ("POST", PROPERTY + "/batch/read", "properties.batch_read", "read", SCHEMA, properties.batch_read),
    ("POST", PROPERTY + "/batch/archive", "properties.batch_archive", "schema", CHANGE, properties.batch_archive),
    ("GET", PROPERTY + "/groups", "groups.list", "read", SCHEMA, properties.list_groups),
    ("POST", PROPERTY + "/groups", "groups.create", "schema", CHANGE, properties.create_group),
    ("GET", PROPERTY + "/groups/{name}", "groups.get", "read", SCHEMA, properties.get_group),
    ("PATCH", PROPERTY + "/groups/{name}", "groups.update", "schema", CHANGE, properties.update_group),
    ("DELETE", PROPERTY + "/groups/{name}", "groups.archive", "schema", CHANGE, properties.archive_group),
    ("GET", "/crm/property-validations/{V}/{type}", "validations.list", "read", SCHEMA, rules.list_rules),
    ("GET", PIPELINE, "pipelines.list", "read", READ, pipelines.list_pipelines),
    ("POST", PIPELINE, "pipelines.create", "schema", WRITE, pipelines.create_pipeline),
    ("GET", PIPELINE + "/{pipeline}", "pipelines.get", "read", READ, pipelines.get_pipeline),
    ("PUT", PIPELINE + "/{pipeline}", "pipelines.replace", "schema", WRITE, pipelines.replace_pipeline),
    ("PATCH", PIPELINE + "/{pipeline}", "pipelines.update", "schema", WRITE, pipelines.update_pipeline),
    ("DELETE", PIPELINE + "/{pipeline}", "pipelines.archive", "schema", WRITE, pipelines.archive_pipeline),
    ("GET", PIPELINE + "/{pipeline}/audit", "pipelines.audit", "read", READ, pipelines.list_audits),
    ("GET", STAGES, "stages.list", "read", READ, pipelines.list_stages),
    ("POST", STAGES, "stages.create", "schema", WRITE, pipelines.create_stage),
    ("GET", STAGES + "/{stage}", "stages.get", "read", READ, pipelines.get_stage),
    ("PUT", STAGES + "/{stage}", "stages.replace", "schema", WRITE, pipelines.update_stage),
    ("PATCH", STAGES + "/{stage}", "stages.update", "schema", WRITE, pipelines.update_stage),
    ("DELETE", STAGES + "/{stage}", "stages.archive", "schema", WRITE, pipelines.archive_stage),
    ("GET", STAGES + "/{stage}/audit", "stages.audit", "read", READ, pipelines.list_audits),
    ("GET", OWNERS, "owners.list", "read", READ_OWNERS, owners.list_owners),
    ("GET", OWNERS + "/{owner}", "owners.get", "read", READ_OWNERS, owners.get_owner),
    ("GET", CUSTOM, "schemas.list", "read", READ_CUSTOM, schemas.list_schemas),
    ("GET", CUSTOM + "/{type}", "schemas.get", "read", READ_CUSTOM, schemas.get_schema),
    ("GET", LIMIT + "records", "allowances.records", "read", "", allowances.show_records),
    ("GET", LIMIT + "custom-properties", "allowances.properties", "read", "", allowances.show_properties),
    ("GET", LIMIT + "custom-object-types", "allowances.types", "read", "", allowances.show_types),
    ("GET", LIMIT + "pipelines", "allowances.pipelines", "read", "", allowances.show_pipelines),
    ("GET", LIMIT + "calculated-properties", "allowances.calculated", "read", "", allowances.show_calculated),
    ("GET", LIMIT + "associations/labels", "allowances.labels", "read", "", allowances.show_labels),
    ("GET", "/account-info/{V}/details", "account.details", "read", "", account.details),
    ("GET", "/account-info/{V}/api-usage/daily/private-apps", "account.usage", "read", "", account.daily_usage),
    ("POST", "/oauth/v2/private-apps/get/access-token-info", "tokens.introspect", "other", "", account.introspect),
    ("GET", "/oauth/authorize", "oauth.consent", "other", "", consent.show),
    ("POST", "/oauth/authorize", "oauth.decide", "other", "", consent.decide),
    ("POST", TOKEN, "oauth.token", "other", "", oauth.token),
    ("POST", TOKEN + "/introspect", "oauth.introspect", "other", "", introspection.introspect),
    ("POST", TOKEN + "/revoke", "oauth.revoke", "other", "", revocation.revoke),
    ("POST", "/oauth/v1/token", "oauth.token", "other", "", oauth.token),
    ("GET", "/oauth/v1/access-tokens/{token}", "oauth.access", "other", "", introspection.legacy_access),
    ("GET", "/oauth/v1/refresh-tokens/{token}", "oauth.refresh", "other", "", introspection.legacy_refresh),
    ("DELETE", "/oauth/v1/refresh-tokens/{token}", "oauth.forget", "other", "", revocation.legacy_revoke),
    ("DELETE", "/appinstalls/{V}/external-install", "installs.remove", "other", "", revocation.uninstall),
]  # fmt: skip
PUBLIC = ("oauth.", "tokens.")  # operations that need no token of their own
LEGACY = (
    ("/crm/v3/objects/", "/crm/objects/v3/"),
    ("/crm/v4/objects/", "/crm/objects/v4/"),
    ("/crm/v4/associations/", "/crm/associations/v4/"),
    ("/crm/v3/properties/", "/crm/properties/v3/"),
    ("/crm/v3/pipelines/", "/crm/pipelines/v3/"),
    ("/crm/v3/owners", "/crm/owners/v3"),
)
LEGACY_VERSIONS = {"v3", "v4"}
PARAMETER = "{}"


class Router:
    """Finds the route of a path by walking its segments; fixed words win over parameters."""

    def __init__(self) -> None:
        self._root: dict[str, Any] = {}
        for method, template, operation, family, scope, handler in TABLE:
            pool = "association" if operation.startswith("associations.") else family
            shape = shapes.SHAPES.get(operation, {})
            route = Route(operation, family, scope, handler, pool, shape, operation.startswith(PUBLIC))
            self._add(method, template, route)

    def _add(self, method: str, template: str, route: Route) -> None:
        node, names = self._root, []
        for part in template.strip("/").split("/"):
            if part.startswith("{"):
                names.append(part.strip("{}"))
                part = PARAMETER
            node = node.setdefault(part, {})
        node.setdefault("", {})[method] = (route, names)

    def find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        """The route and its parameters; None for a path or version that is not there."""
        for old, new in LEGACY:
            if path.startswith(old):
                path = new + path[len(old) :]
                break
        node, given = self._root, []
        for part in path.strip("/").split("/"):
            following = node.get(part) if part else None
            if following is None:
                following = node.get(PARAMETER)
                given.append(part)
            if following is None:
                return None, {}
            node = following
        found = node.get("", {}).get(method)
        if found is None:
            return None, {}
        params = dict(zip(found[1], given, strict=True))
        version = params.get("V")
        known = version is None or version in VERSIONS or version in LEGACY_VERSIONS
        return (found[0], params) if known else (None, {})


ROUTER = Router()
