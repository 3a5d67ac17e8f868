"""The changelist of portals: all mappings of the page's portals are read at once, so that it asks no query a row."""

from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

from crmsync.models import Mapping


class PortalList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        by_portal: dict[int, list[Mapping]] = {}
        rows = Mapping.objects.filter(portal__in=[one.pk for one in self.result_list])
        for mapping in rows.prefetch_related("fields", "associations__to_mapping"):
            by_portal.setdefault(mapping.portal_id, []).append(mapping)
        self.result_list = list(self.result_list)
        for portal in self.result_list:
            portal.listed_mappings = by_portal.get(portal.pk, [])
