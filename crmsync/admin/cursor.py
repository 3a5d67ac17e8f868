"""Cursors: where the next poll of a mapping starts; read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from crmsync.admin import cells, page
from crmsync.models import Cursor


@admin.register(Cursor)
class CursorAdmin(page.ReadOnlyPage):
    list_display = ["mapping", "kind", "complete_as_of", "next_pass", "message"]
    list_display_links = ["kind"]
    list_filter = ["mapping", "kind"]
    list_select_related = ["mapping"]
    fields = ["mapping", "kind", "started_at", "position", "until", "last_id", "due_at", "last_message"]
    empty_hint = _(
        "A cursor remembers up to when HubSpot's changes were read."
        " Next: set a mapping live, and it gets its cursors."
    )

    @admin.display(description=_("complete as of"), ordering="position")
    def complete_as_of(self, obj: Cursor):
        return cells.when(obj.position)

    @admin.display(description=_("last message"))
    def message(self, obj: Cursor):
        return cells.folded(obj.last_message)

    @admin.display(description=_("next pass"), ordering="due_at")
    def next_pass(self, obj: Cursor):
        return cells.when(obj.due_at)
