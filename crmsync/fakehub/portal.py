"""One HubSpot account without its records: facts, object types, properties, pipelines, owners, tokens, rules.

``revision`` grows with each change of it; whoever caches or stores a part compares that number.
"""

from typing import Any

from crmsync.fakehub import apps, associationtypes, auth, clock, defaults, definitions, errors, grants, objecttypes

DEMO_APP_ID = 19083857
DEMO_USER_ID = 9586504
MAX_VIEWS = 5000  # remembered lists of properties; more than any client asks for


class Portal:
    def __init__(self, portal_id: int, time: clock.Clock, seed: int = 0) -> None:
        self.id = portal_id
        self.time = time
        self.name = "Fakehub portal"
        self.account_type = "STANDARD"
        self.time_zone = "US/Eastern"
        self.currency = "USD"
        self.preserve_primary_id = False  # a merge keeps the primary's id
        self.merged_ids_resolve = True  # old ids of merged records still work for one GET or PATCH
        self.partial_updates = True  # trace ids give partial success on update and upsert, too
        self.associate_by_domain = False  # a new contact joins the company of its e-mail's domain
        self.lacks_scopes: list[str] = []  # beside those its tier lacks
        self.closed = False  # token requests for it are refused with BAD_HUB
        self.allowances: dict[str, int] = {}  # numbers of ``allowances`` that differ from its own
        self.revision = 0
        self.kinds: dict[str, objecttypes.ObjectType] = {}
        self.properties: dict[str, dict[str, definitions.Property]] = {}
        self.groups: dict[str, dict[str, dict[str, Any]]] = {}
        self.pipelines: dict[str, dict[str, dict[str, Any]]] = {}
        self.owners: dict[str, dict[str, Any]] = {}
        self.grants = grants.Grants(time, seed)
        self.rules: dict[str, list[dict[str, Any]]] = {}
        self.blocked_emails: set[str] = set()
        self.catalogue = associationtypes.Catalogue()
        self._views: dict[tuple[str, tuple[str, ...] | None], tuple[str, ...]] = {}
        self._unique: dict[str, list[str]] = {}
        self._aliases: dict[str, objecttypes.ObjectType] = {}
        for kind in objecttypes.STANDARD:
            self.add_kind(kind)
        self._furnish()

    def changed(self) -> None:
        self.revision += 1
        self._views.clear()
        self._unique.clear()

    def kind(self, name: str) -> objecttypes.ObjectType:
        """The object type a path or body means: by id, plural, singular or full name."""
        found = self._aliases.get(name.lower())
        if found is None:
            raise errors.bad_request(f"Unable to infer object type from: {name}")
        return found

    def add_kind(self, kind: objecttypes.ObjectType) -> None:
        self.kinds[kind.id] = kind
        for alias in (kind.id, kind.name, f"p_{kind.singular}" if kind.is_custom else kind.singular):
            self._aliases[alias.lower()] = kind
        at = clock.iso(self.time.now_ms())
        group, label, lines = defaults.lines_of(kind.id)
        self.groups[kind.id] = {group: {"name": group, "label": label, "displayOrder": 0, "archived": False}}
        self.properties[kind.id] = {}
        self.pipelines[kind.id] = {}
        self.rules[kind.id] = []
        for line in lines:
            if line:
                given, read_only = defaults.read_property(line, group)
                prop = definitions.make_property(given, at, defined=True, read_only=read_only)
                self.properties[kind.id][prop.name] = prop
        self.changed()

    def _furnish(self) -> None:
        for line in defaults.OWNERS:
            self.add_owner(*line)
        for kind_id, pipeline in (
            ("0-1", defaults.lifecycle_pipeline()),
            ("0-2", defaults.lifecycle_pipeline()),
            ("0-3", defaults.deal_pipeline("default", "Sales Pipeline")),
            ("0-5", defaults.ticket_pipeline()),
        ):
            self.add_pipeline(kind_id, pipeline)
        self.add_token(defaults.DEMO_TOKEN, None)
        self.grants.keep(apps.App(**defaults.DEMO_APP))

    @property
    def tokens(self) -> dict[str, auth.Token]:
        return self.grants.tokens

    def account(self, hub_id: int, tier: str = "professional") -> apps.Account | None:
        """This account (its ``tier`` is known elsewhere) or another planted one; None if there is none."""
        if hub_id != self.id:
            return self.grants.accounts.get(hub_id)
        lacks = tuple(self.lacks_scopes)
        facts = (self.name, self.account_type, self.time_zone, self.currency, tier, lacks, self.closed)
        return apps.Account(self.id, *facts)

    def all_accounts(self, tier: str) -> list[apps.Account]:
        """This one first."""
        found = (self.account(hub_id, tier) for hub_id in (self.id, *self.grants.accounts))
        return [one for one in found if one is not None]

    def property(self, kind: objecttypes.ObjectType, name: str) -> definitions.Property | None:
        """A property that is there and not archived."""
        found = self.properties[kind.id].get(name)
        return None if found is None or found.archived else found

    def view(self, kind: objecttypes.ObjectType, names: list[str] | None) -> tuple[str, ...]:
        """Which properties an answer shows: the known ones of ``names`` and those that always come."""
        key = (kind.id, None if names is None else tuple(names))
        found = self._views.get(key)
        if found is None:
            wanted = {*(kind.defaults if names is None else names), *kind.always}
            found = tuple(sorted(name for name in wanted if self.property(kind, name)))
            if len(self._views) > MAX_VIEWS:
                self._views.clear()
            self._views[key] = found
        return found

    def unique_names(self, kind: objecttypes.ObjectType) -> list[str]:
        """Properties whose values no two records of this type may share."""
        if kind.id not in self._unique:
            own = ["email"] if kind.id == "0-1" else []
            self._unique[kind.id] = own + [p.name for p in self.properties[kind.id].values() if p.is_unique]
        return self._unique[kind.id]

    def add_owner(
        self, owner_id: str, email: str, first: str, last: str, user_id: int, archived: bool = False
    ) -> None:
        at = clock.iso(self.time.now_ms())
        self.owners[owner_id] = {
            "id": owner_id,
            "email": email,
            "type": "PERSON",
            "firstName": first,
            "lastName": last,
            "userId": None if archived else user_id,
            "userIdIncludingInactive": user_id,
            "createdAt": at,
            "updatedAt": at,
            "archived": archived,
            "teams": [],
        }
        self.changed()

    def add_pipeline(self, kind_id: str, pipeline: dict[str, Any]) -> dict[str, Any]:
        at = clock.iso(self.time.now_ms())
        pipeline = {"archived": False, "createdAt": at, "updatedAt": at, **pipeline}
        pipeline["stages"] = [
            {
                "archived": False,
                "createdAt": at,
                "updatedAt": at,
                "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                **s,
            }
            for s in pipeline["stages"]
        ]
        self.pipelines[kind_id][pipeline["id"]] = pipeline
        self.changed()
        return pipeline

    def add_token(self, token: str, scopes: list[str] | None, **facts: Any) -> auth.Token:
        facts.setdefault("app_id", DEMO_APP_ID)
        facts.setdefault("user_id", DEMO_USER_ID)
        facts.setdefault("hub_id", self.id)
        self.grants.keep(auth.Token(token, frozenset(auth.ALL_SCOPES if scopes is None else scopes), **facts))
        return self.tokens[token]

    def block_emails(self, emails: list[str]) -> None:
        self.blocked_emails.update(emails)
        self.changed()

    def stage(self, kind: objecttypes.ObjectType, pipeline_id: str, stage_id: str) -> dict[str, Any] | None:
        """A live stage of a live pipeline."""
        pipeline = self.pipelines[kind.id].get(pipeline_id)
        if pipeline is None or pipeline["archived"]:
            return None
        return next((s for s in pipeline["stages"] if s["id"] == stage_id and not s["archived"]), None)
