"""Page and ReadOnlyPage: what all our admin pages share: permissions, object tools, banners, links between lists."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import widgets
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from crmsync.admin import banner, cells, paging, tool


class Page(admin.ModelAdmin):
    """``tools``: actions that are also buttons on an object's own page; those of ``only_tools`` are nothing else.
    ``empty_hint``: what an empty list says."""

    tools: tuple[str, ...] = ()
    only_tools: frozenset[str] = frozenset()
    empty_hint: object = ""
    show_full_result_count = False

    class Media:
        css = {"all": ["crmsync/admin.css"]}

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """May start, retry and stop work."""
        return request.user.has_perm("crmsync.operate_sync")

    def has_link_permission(self, request: HttpRequest) -> bool:
        """May link and unlink records."""
        return request.user.has_perm("crmsync.link_record")

    def has_connect_permission(self, request: HttpRequest) -> bool:
        """May connect and pause portals and enter their secrets."""
        return request.user.has_perm("crmsync.connect_portal")

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        """May say that this installation is the one that works with a portal."""
        return request.user.has_perm("crmsync.unlock_portal")

    # --- Addresses ------------------------------------------------------------------------------------------

    def list_url(self, model: type[models.Model], **filters: object) -> str:
        """A changelist with filters set."""
        url = reverse(f"admin:crmsync_{model._meta.model_name}_changelist", current_app=self.admin_site.name)
        return f"{url}?{urlencode(filters)}" if filters else url

    def object_url(self, row: models.Model) -> str:
        """The page of a row."""
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return reverse(name, args=[quote(row.pk)], current_app=self.admin_site.name)

    def get_viewed(self, request: HttpRequest, object_id: str) -> models.Model:
        """The row of one of its further pages; refused to whoever may not view it, 404 where there is none."""
        row = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            raise Http404
        return row

    def url_of(self, name: str, *args: object) -> str:
        """One of our further pages, by what follows ``crmsync_`` in its name."""
        parts = [quote(one) for one in args]
        return reverse(f"admin:crmsync_{name}", args=parts, current_app=self.admin_site.name)

    def count_link(self, count: int, model: type[models.Model], **filters: object):
        """A number that leads to the rows behind it."""
        return cells.link(self.list_url(model, **filters), count) if count else "0"

    # --- What our templates need ----------------------------------------------------------------------------

    def make_context(self, request: HttpRequest, **facts: object) -> dict[str, Any]:
        """The context of a page of our own: the site's, ours and ``facts``."""
        return {
            **self.admin_site.each_context(request),
            **self._extra(request),
            "opts": self.opts,
            "media": self.media,
            **facts,
        }

    def _extra(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> dict[str, Any]:
        # Called by the template: whatever redirects does not ask, and what it shows is as it is then.
        return {"crmsync_banners": lambda: banner.find(self, request), **(extra_context or {})}

    def get_tools(self, request: HttpRequest, obj: models.Model) -> list[str]:
        """The tools that make sense for this object now; permissions are checked after that."""
        return list(self.tools)

    def get_hidden_tools(self, request: HttpRequest, obj: models.Model) -> list[str]:
        """Tools without a button at the top: buttons elsewhere on the page send their forms."""
        return []

    def get_more_tools(self, request: HttpRequest, obj: models.Model) -> list[tool.Tool]:
        """Buttons that are no actions; whoever overrides this checks the permission."""
        return []

    def get_list_tools(self, request: HttpRequest) -> list[tool.Tool]:
        """Buttons above the list; whoever overrides this checks the permission."""
        return []

    def get_object_links(self, request: HttpRequest, obj: models.Model) -> list[tuple[str, object]]:
        """(address, label) of this object's further pages."""
        return []

    def _tools_of(self, request: HttpRequest, obj: models.Model) -> list[tool.Tool]:
        allowed, url = self.get_actions(request), self.list_url(self.model)
        shown, hidden = self.get_tools(request, obj), self.get_hidden_tools(request, obj)
        own = [
            tool.of_action(name, getattr(self, name).short_description, url, obj.pk, is_shown=name in shown)
            for name in [*shown, *hidden]
            if name in allowed
        ]
        return [*self.get_more_tools(request, obj), *own]

    # --- Django's own views ---------------------------------------------------------------------------------

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None) -> HttpResponse:
        """Adds our buttons and the lists of suggestions that our inputs name."""
        if obj is not None and obj.pk is not None:
            context["crmsync_tools"] = self._tools_of(request, obj)
            context["crmsync_links"] = self.get_object_links(request, obj)
        context["crmsync_datalists"] = _datalists(context)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def formfield_for_dbfield(self, db_field, request: HttpRequest, **kwargs):
        """What a form refers to is chosen there; it is added, changed and deleted on its own page only."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(getattr(field, "widget", None), widgets.RelatedFieldWidgetWrapper):
            for name in ("can_add_related", "can_change_related", "can_delete_related", "can_view_related"):
                setattr(field.widget, name, False)
        return field

    def get_action_choices(self, request: HttpRequest, *args, **kwargs) -> list[tuple[str, object]]:
        """The list offers none that only make sense for one object; its page sends them all the same."""
        found = super().get_action_choices(request, *args, **kwargs)
        return found if request.method == "POST" else [one for one in found if one[0] not in self.only_tools]

    def changelist_view(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        """An action that one may not do is refused aloud; Django would show the list as if nothing was pressed."""
        wanted = set(request.POST.getlist("action")) - {""}
        if wanted - self.get_actions(request).keys():
            raise PermissionDenied
        own = {"crmsync_list_tools": self.get_list_tools(request), **(extra_context or {})}
        return super().changelist_view(request, self._extra(request, own))

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        return super().changeform_view(request, object_id, form_url, self._extra(request, extra_context))

    def delete_view(self, request, object_id, extra_context=None) -> HttpResponse:
        return super().delete_view(request, object_id, self._extra(request, extra_context))

    def history_view(self, request, object_id, extra_context=None) -> HttpResponse:
        return super().history_view(request, object_id, self._extra(request, extra_context))

    def response_action(self, request: HttpRequest, queryset: models.QuerySet, **place) -> HttpResponse | None:
        """A tool leads back to the object's page if it is still there. ``place`` is for Django 6.1 and later."""
        response = super().response_action(request, queryset, **place)
        chosen = request.POST.getlist("_selected_action")
        if "_tool" in request.POST and isinstance(response, HttpResponseRedirect) and len(chosen) == 1:
            row = self.get_object(request, chosen[0])
            return HttpResponseRedirect(self.object_url(row) if row else self.list_url(self.model))
        return response

    def say(self, request: HttpRequest, sentence: object, level: int = messages.SUCCESS) -> None:
        """Tell the person at the next page."""
        self.message_user(request, sentence, level)


class ReadOnlyPage(Page):
    """Rows that only the sync writes: shown, filtered and acted upon, never edited."""

    paginator = paging.BoundedPaginator
    list_per_page = 50
    list_max_show_all = 200

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


def _datalists(context) -> list[object]:
    """The <datalist> elements that inputs of this form and its inlines refer to, each once."""
    forms = [context["adminform"].form, *(one.formset for one in context.get("inline_admin_formsets", []))]
    found = {}
    for one in forms:
        for datalist in getattr(one, "datalists", ()):
            found[datalist.id] = datalist
    return list(found.values())
