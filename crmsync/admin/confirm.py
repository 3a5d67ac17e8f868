"""Asks before an action that touches more than one record or cannot be undone."""

from django.contrib import admin
from django.contrib.admin import helpers
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse

# More objects than this are counted, not listed.
_LISTED = 20


def confirm(
    page: admin.ModelAdmin,
    request: HttpRequest,
    rows: models.QuerySet,
    action: str,
    *,
    title: object,
    text: object,
    if_many: bool = False,
    is_final: bool = False,
) -> TemplateResponse | None:
    """The page that asks, or None once the person said yes (``if_many``: or where only one row is chosen).

    ``is_final``: it cannot be undone, so the button says so by its colour, too."""
    if request.POST.get("post") == "yes":
        return None
    count = rows.count()
    if if_many and count == 1:
        return None
    listed = list(rows[:_LISTED])
    context = {
        **page.admin_site.each_context(request),
        "title": title,
        "text": text,
        "opts": page.opts,
        "count": count,
        "more": count - len(listed),
        "objects": listed,
        "selected": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "action": action,
        "select_across": request.POST.get("select_across", "0"),
        "is_final": is_final,
        "is_tool": "_tool" in request.POST,
        "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        "media": page.media,
    }
    return TemplateResponse(request, "admin/crmsync/confirm.html", context)
