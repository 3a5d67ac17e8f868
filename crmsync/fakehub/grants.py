"""What a portal's apps were granted: apps, accounts, installs, codes, refresh and access tokens, and their ends.

Nothing here checks a request: ``oauth`` and ``consent`` decide, this keeps. Nothing is ever taken out, so that a
value is never given twice.
"""

import dataclasses
import random
import string
from collections.abc import Iterable, Iterator
from typing import Any

from crmsync.fakehub import apps, auth, clock

CODE_MS = 60_000  # "short life" in the docs; the number is a guess
GRACE_MS = 60_000  # how long a rotated refresh token still works where ``refresh_grace`` is on
MIN_TOKEN = 300  # HubSpot tells clients to allow for at least this many characters
ALPHABET = string.ascii_letters + string.digits + "-_"
TABLES: dict[type[Any], tuple[str, str]] = {
    apps.App: ("app", "apps"),
    apps.Account: ("account", "accounts"),
    apps.Install: ("install", "installs"),
    apps.Code: ("code", "codes"),
    apps.Refresh: ("refresh", "refreshes"),
    auth.Token: ("token", "tokens"),
    apps.Settings: ("settings", "all_settings"),
}
SORTS = {sort: kind for kind, (sort, _) in TABLES.items()}


class Grants:
    """``dirty`` are the things the journal has not seen yet."""

    def __init__(self, time: clock.Clock, seed: int = 0) -> None:
        self._time = time
        self._seed = seed
        self._dice = random.Random(f"{seed}:expiry")
        self.dirty: dict[tuple[str, Any], Any] = {}
        self.apps: dict[str, apps.App] = {}
        self.accounts: dict[int, apps.Account] = {}
        self.installs: dict[tuple[int, int], apps.Install] = {}
        self.codes: dict[str, apps.Code] = {}
        self.refreshes: dict[str, apps.Refresh] = {}
        self.tokens: dict[str, auth.Token] = {}
        self._with_keys: set[int] = set()  # apps that ever had a service key
        self.all_settings: dict[str, apps.Settings] = {"": apps.Settings()}

    @property
    def settings(self) -> apps.Settings:
        return self.all_settings[""]

    def keep(self, *things: Any) -> None:
        """Hold something new or changed."""
        for thing in things:
            sort, table = TABLES[type(thing)]
            getattr(self, table)[thing.key] = thing
            self.dirty[sort, thing.key] = thing
            if sort == "token" and thing.kind == "service_key":
                self._with_keys.add(thing.app_id)

    def dump(self) -> list[list[Any]]:
        """The dirty things as (sort, facts), for the journal; they are clean then."""
        found = [[sort, *_facts(thing)] for (sort, _), thing in self.dirty.items()]
        self.dirty.clear()
        return found

    def load(self, sort: str, *facts: Any) -> None:
        """One line of ``dump``, back from the journal."""
        thing = SORTS[sort](*facts)
        self.keep(thing)
        del self.dirty[sort, thing.key]

    # giving

    def give_code(self, app: apps.App, redirect_uri: str, hub_id: int, user_id: int, scopes: Iterable[str]) -> str:
        """A code for what a user agreed to."""
        value, until = self._hex("code", len(self.codes)), self._time.now_ms() + CODE_MS
        self.keep(apps.Code(value, app.client_id, redirect_uri, hub_id, user_id, frozenset(scopes), until))
        return value

    def spend(self, code: apps.Code, app: apps.App) -> auth.Token:
        """The first access token for a code; the app counts as installed from now on."""
        code.spent = True
        self.keep(code, apps.Install(app.app_id, code.hub_id, code.user_id))
        return self._give(app, code.hub_id, code.user_id, code.scopes)

    def renew(self, old: apps.Refresh, app: apps.App) -> auth.Token:
        """The next access token of a refresh token, and with it a new refresh token."""
        if self.settings.rotate and old.dead_from_ms is None:
            old.dead_from_ms = self._time.now_ms() + (GRACE_MS if self.settings.refresh_grace else 0)
            self.keep(old)
        return self._give(app, old.hub_id, old.user_id, old.scopes)

    def give_app_token(self, app: apps.App, scopes: Iterable[str]) -> auth.Token:
        """A token of the app itself: of no account and without a refresh token."""
        return self._give_access(app, 0, 0, scopes, "app", "")

    def _give(self, app: apps.App, hub_id: int, user_id: int, scopes: frozenset[str]) -> auth.Token:
        value = self._hex("refresh", len(self.refreshes))
        self.keep(apps.Refresh(value, app.client_id, app.app_id, hub_id, user_id, scopes))
        return self._give_access(app, hub_id, user_id, scopes, "oauth", value)

    def _give_access(
        self, app: apps.App, hub_id: int, user_id: int, scopes: Iterable[str], kind: str, refresh: str
    ) -> auth.Token:
        dice = random.Random(f"{self._seed}:access:{len(self.tokens)}")
        value = "C" + "".join(dice.choices(ALPHABET, k=MIN_TOKEN + dice.randint(0, 40)))
        seconds = max(self.settings.expires_in - dice.randint(0, self.settings.lifetime_jitter), 1)
        token = auth.Token(value, frozenset(scopes), app.app_id, user_id, kind)
        token.expires_ms = self._time.now_ms() + seconds * 1000
        token.hub_id, token.client_id, token.refresh = hub_id, app.client_id, refresh
        self.keep(token)
        return token

    def _hex(self, sort: str, number: int) -> str:
        """Follows from the seed and how many there are: a process that goes on gives no value twice."""
        text = f"{random.Random(f'{self._seed}:{sort}:{number}').getrandbits(128):032x}"
        return "na1-" + "-".join(text[place : place + 8] for place in range(0, 32, 8))

    # taking

    def kill_refresh(self, refresh: apps.Refresh) -> None:
        """Issued access tokens live on to their expiry."""
        refresh.dead_from_ms = min(refresh.dead_from_ms or self._time.now_ms(), self._time.now_ms())
        self.keep(refresh)

    def kill(self, app_id: int, hub_id: int = 0) -> int:
        """End all tokens of an app, in one account or (0) in all; how many there were."""
        dead: list[Any] = list(self._of(self.refreshes.values(), app_id, hub_id))
        for refresh in dead:
            self.kill_refresh(refresh)
        for token in self._of(self.tokens.values(), app_id, hub_id):
            token.revoked = True
            self.keep(token)
            dead.append(token)
        return len(dead)

    def uninstall(self, app_id: int, hub_id: int) -> int:
        """Take an app out of an account: its tokens die, its codes too, and webhooks end."""
        install = self.installs.get((app_id, hub_id), apps.Install(app_id, hub_id, 0))
        self.keep(dataclasses.replace(install, is_live=False))
        names = {app.client_id for app in self.apps.values() if app.app_id == app_id}
        for code in list(self.codes.values()):
            if code.client_id in names and code.hub_id == hub_id:
                self.keep(dataclasses.replace(code, spent=True))
        return self.kill(app_id, hub_id)

    def expire(self, app_id: int = 0) -> int:
        """Let access tokens run out now; how many did."""
        now, ended = self._time.now_ms(), 0
        for token in list(self.tokens.values()):
            if token.kind == "oauth" and (token.expires_ms or 0) > now and app_id in {0, token.app_id}:
                token.expires_ms = now
                self.keep(token)
                ended += 1
        return ended

    def tire(self, token: auth.Token) -> None:
        """Let an access token run out before its time, as often as the settings say."""
        chance = self.settings.expiry_probability
        if chance and token.kind == "oauth" and self._dice.random() < chance:
            token.expires_ms = min(token.expires_ms or self._time.now_ms(), self._time.now_ms())
            self.keep(token)

    @staticmethod
    def _of(things: Iterable[Any], app_id: int, hub_id: int) -> Iterator[Any]:
        return (one for one in list(things) if one.app_id == app_id and hub_id in {0, one.hub_id})

    # asking

    def app_of(self, token: auth.Token) -> apps.App | None:
        return self.apps.get(token.client_id)

    def may_hear(self, app_id: int, hub_id: int) -> bool:
        """Do webhooks of this account go to that app? Not after its uninstall, and not with service keys only."""
        install = self.installs.get((app_id, hub_id))
        if install is not None and not install.is_live:
            return False
        if app_id not in self._with_keys:
            return True
        kinds = {one.kind for one in self.tokens.values() if one.app_id == app_id and not one.revoked}
        return kinds != {"service_key"}


def _facts(thing: Any) -> list[Any]:
    """The fields of a thing as JSON values, in their order."""
    found = (getattr(thing, one.name) for one in dataclasses.fields(thing))
    return [
        sorted(value) if isinstance(value, frozenset) else list(value) if isinstance(value, tuple) else value
        for value in found
    ]
