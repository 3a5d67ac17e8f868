"""The further pages of a mapping: their addresses, and which of them its own page leads to."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import path
from django.utils.translation import gettext_lazy as _

from crmsync.admin import bulk_add, commits, duplicate, life, once, preview, proof, provision, replace, trial
from crmsync.models import Mapping


class MappingPages(admin.ModelAdmin):
    """Each page checks its own permission."""

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/preview/", wrap(self.preview_view), name="crmsync_mapping_preview"),
            path("<path:object_id>/proof/", wrap(self.proof_view), name="crmsync_mapping_proof"),
            path("<path:object_id>/try/", wrap(self.trial_view), name="crmsync_mapping_trial"),
            path("<path:object_id>/once/", wrap(self.once_view), name="crmsync_mapping_once"),
            path("<path:object_id>/life/", wrap(self.life_view), name="crmsync_mapping_life"),
            path("<path:object_id>/life/<int:number>/", wrap(self.restore_view), name="crmsync_mapping_restore"),
            path("<path:object_id>/duplicate/", wrap(self.duplicate_view), name="crmsync_mapping_duplicate"),
            path("<path:object_id>/add-fields/", wrap(self.bulk_add_view), name="crmsync_mapping_bulk_add"),
            path("<path:object_id>/replace/<int:row_id>/", wrap(self.replace_view), name="crmsync_mapping_replace"),
            path("<path:object_id>/properties/", wrap(self.provision_view), name="crmsync_mapping_provision"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest, object_id: str):
        return preview.view(self, request, object_id)

    def proof_view(self, request: HttpRequest, object_id: str):
        return proof.view(self, request, object_id)

    @commits.at_once
    def trial_view(self, request: HttpRequest, object_id: str):
        return trial.view(self, request, object_id)

    @commits.at_once
    def once_view(self, request: HttpRequest, object_id: str):
        return once.view(self, request, object_id)

    def life_view(self, request: HttpRequest, object_id: str):
        return life.view(self, request, object_id)

    def restore_view(self, request: HttpRequest, object_id: str, number: int):
        return life.restore_view(self, request, object_id, number)

    def duplicate_view(self, request: HttpRequest, object_id: str):
        return duplicate.view(self, request, object_id)

    def bulk_add_view(self, request: HttpRequest, object_id: str):
        return bulk_add.view(self, request, object_id)

    def provision_view(self, request: HttpRequest, object_id: str):
        return provision.view(self, request, object_id)

    def replace_view(self, request: HttpRequest, object_id: str, row_id: int):
        return replace.view(self, request, object_id, row_id)

    def get_object_links(self, request: HttpRequest, obj: Mapping) -> list[tuple[str, object]]:
        links = [
            (self.url_of("mapping_proof", obj.pk), _("Round-trip proof")),
            (self.url_of("mapping_life", obj.pk), _("Life and revisions")),
        ]
        if self.has_operate_permission(request):
            links.insert(0, (self.url_of("mapping_preview", obj.pk), _("Preview")))
            links.insert(1, (self.url_of("mapping_trial", obj.pk), _("Try one record")))
            links.insert(2, (self.url_of("mapping_once", obj.pk), _("Create one in HubSpot…")))
        if bulk_add.is_allowed(self, request, obj):
            links.append((self.url_of("mapping_bulk_add", obj.pk), _("Add fields")))
        if provision.is_allowed(self, request, obj):
            links.append((self.url_of("mapping_provision", obj.pk), _("Create properties")))
            url = bulk_add.template_url(self, obj)
            links += [(url, _("Start from a template"))] if url else []
        if duplicate.is_allowed(self, request):
            links.append((self.url_of("mapping_duplicate", obj.pk), _("Duplicate to another portal")))
        if request.user.has_perm("crmsync.view_logentry"):
            links.append((f"{self.url_of('logentry_candidates')}?mapping={obj.pk}", _("Match candidates")))
        return links
