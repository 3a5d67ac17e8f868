"""User links: which local user stands for which HubSpot owner; owners come from HubSpot, users are chosen here."""

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, page
from crmsync.models import UserLink


@admin.register(UserLink)
class UserLinkAdmin(page.Page):
    list_display = ["name", "email", "owner_id", "user", "is_by_hand", "archived", "portal"]
    list_filter = ["portal", ("user", admin.EmptyFieldListFilter), "is_archived", "is_by_hand"]
    search_fields = ["name", "email", "owner_id__exact"]
    fields = ["portal", "name", "email", "owner_id", "hubspot_user_id", "archived", "user", "is_by_hand"]
    readonly_fields = ["portal", "name", "email", "owner_id", "hubspot_user_id", "archived"]
    raw_id_fields = ["user"]
    empty_hint = _(
        "A user link says which Django user stands for which HubSpot owner; users of the same e-mail address are"
        " linked by themselves. Next: connect a portal and press “Refresh fields” there."
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("portal", "user")

    def save_model(self, request: HttpRequest, obj: UserLink, form, change: bool) -> None:
        """What a person chose, or took away, is not matched by e-mail again."""
        names = set(form.changed_data)
        if "user" in names:
            obj.is_by_hand = True
            names.add("is_by_hand")
        if names:
            obj.save(update_fields=sorted(names))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UserLink | None = None) -> bool:
        return False

    @admin.display(description=_("state"), ordering="is_archived")
    def archived(self, obj: UserLink):
        return cells.badge(_("archived")) if obj.is_archived else cells.badge(_("active"), "good", "✓")
