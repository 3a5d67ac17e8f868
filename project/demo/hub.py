"""A person at the fake HubSpot's keyboard: edits as its user, and looks into its ledger, over its control API."""

import json
import urllib.parse
from collections.abc import Iterator
from typing import Any

import requests

Properties = dict[str, str]


class Hub:
    """The control API of a served fakehub; ``url`` is its base address."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False  # loopback: no proxy

    def get(self, path: str, **query: object) -> dict[str, Any]:
        return self._answer(self.session.get(f"{self.url}/_fakehub/{path}", params=query, timeout=30))

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._answer(self.session.post(f"{self.url}/_fakehub/{path}", data=json.dumps(body), timeout=60))

    def _answer(self, response: requests.Response) -> dict[str, Any]:
        answer: dict[str, Any] = response.json()
        if response.status_code != 200:
            raise ValueError(answer.get("error", response.status_code))
        return answer

    def create(self, object_type: str, rows: list[Properties]) -> list[str]:
        """Records typed in by a user; their ids."""
        return self._edit("create", [{"type": object_type, "properties": row} for row in rows])

    def update(self, object_type: str, edits: dict[str, Properties]) -> list[str]:
        return self._edit(
            "update", [{"type": object_type, "id": key, "properties": row} for key, row in edits.items()]
        )

    def _edit(self, what: str, edits: list[dict[str, Any]]) -> list[str]:
        results = self.post(f"ui/{what}", {"edits": edits})["results"]
        for result in results:
            if "error" in result:
                raise ValueError(result["error"])
        return [result["id"] for result in results]

    def records(self, object_type: str) -> Iterator[dict[str, Any]]:
        """All records that are not archived, with all their values."""
        after: object = 0
        while after is not None:
            page = self.get(f"state/{urllib.parse.quote(object_type)}", after=after, limit=5000)
            yield from page["results"]
            after = page.get("after")

    def properties(self, object_type: str) -> list[Properties]:
        return [record["properties"] for record in self.records(object_type)]

    def record(self, object_type: str, key: str) -> dict[str, Any]:
        return self.get(f"record/{urllib.parse.quote(object_type)}/{key}")

    def writes(self) -> int:
        """Write calls to records that were applied, ever."""
        return int(self.get("counters")["writes"])

    def backlog(self) -> int:
        """Webhook events that were not delivered yet."""
        return int(self.get("counters")["backlog"])
