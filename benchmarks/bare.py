"""The anchors: the least a script can do over plain HTTP, without crmsync and without any of its tables."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import requests
from django.db import transaction

from benchmarks import records
from crmsync.fakehub.hub import FakeHub
from project.demo.models import Person

PATH = "/crm/objects/2026-09/contacts"
_UPDATED = [name for name in records.COLUMNS if name != "email"]


class Bare:
    """One kept connection to a portal."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}{PATH}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers.update({"Authorization": f"Bearer {FakeHub.token}", "Content-Type": "application/json"})

    def pages(self) -> Iterator[list[dict[str, Any]]]:
        """All contacts by 100 with the 12 properties."""
        query: dict[str, str] = {"limit": "100", "properties": ",".join(records.COLUMNS.values())}
        while True:
            answer = self._answer(self.session.get(self.url, params=query, timeout=30))
            yield answer["results"]
            if "paging" not in answer:
                return
            query["after"] = answer["paging"]["next"]["after"]

    def fetch(self) -> int:
        return sum(len(page) for page in self.pages())

    def pull(self) -> None:
        """Into the product's table by 1,000."""
        found = (one["properties"] for page in self.pages() for one in page)
        for part in records.chunks(found, 1000):
            Person.objects.bulk_create(
                [Person(**records.from_properties(one)) for one in part],
                update_conflicts=True,
                unique_fields=["email"],
                update_fields=_UPDATED,
            )

    def pull_by_save(self) -> None:
        """A save() a record, each its own commit."""
        for page in self.pages():
            _save_all(page)

    def pull_by_page(self) -> None:
        """A save() a record, a commit a page."""
        for page in self.pages():
            with transaction.atomic():
                _save_all(page)

    def create(self, rows: Iterable[records.Properties]) -> list[str]:
        """New contacts by 100; their ids."""
        made: list[str] = []
        for part in records.chunks(rows, 100):
            answer = self.batch("create", [{"properties": one} for one in part])
            made += [one["id"] for one in answer["results"]]
        return made

    def update(self, ids: Iterable[str], make: Callable[[int], records.Properties]) -> None:
        inputs = ({"id": key, "properties": make(number)} for number, key in enumerate(ids))
        for part in records.chunks(inputs, 100):
            self.batch("update", part)

    def read(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        body = {"properties": list(records.COLUMNS.values())}
        return self.batch("read", [{"id": key} for key in ids], body)["results"]

    def batch(self, verb: str, inputs: list[Any], body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps({"inputs": inputs, **(body or {})})
        return self._answer(self.session.post(f"{self.url}/batch/{verb}", data=data, timeout=30))

    @staticmethod
    def _answer(response: requests.Response) -> dict[str, Any]:
        response.raise_for_status()
        return json.loads(response.content)


def _save_all(page: list[dict[str, Any]]) -> None:
    for one in page:
        Person(**records.from_properties(one["properties"])).save()
