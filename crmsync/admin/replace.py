"""Replace with …: point a field mapping whose property is gone at another one, after a look at what that means."""

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from crmsync import jobs
from crmsync.admin import catalogue, field_page_form, review
from crmsync.admin import page as pages
from crmsync.flows import replace
from crmsync.models import FieldMapping, RemoteProperty

_LISTED = 8


def view(page: pages.Page, request: HttpRequest, object_id: str, row_id: int) -> HttpResponse:
    """GET offers properties, and with ``to`` shows what that one means; POST ``to`` points the row at it.

    Permission to change the mapping.
    """
    mapping = page.get_object(request, unquote(object_id))
    if not page.has_change_permission(request, mapping):
        raise PermissionDenied
    row = mapping.fields.filter(pk=row_id).first() if mapping else None
    if row is None:
        raise Http404
    row.mapping = mapping
    return _respond(request, page, row)


@require_http_methods(["GET", "HEAD", "POST"])
def _respond(request: HttpRequest, page: pages.Page, row: FieldMapping) -> HttpResponse:
    mapping, before = row.mapping, row.remote
    wanted = (request.POST if request.method == "POST" else request.GET).get("to", "")
    refusals = _refusals(row, wanted) if wanted else []
    row.remote = before  # the form that judged it has set it
    if request.method == "POST" and wanted and not refusals:
        return _replace(request, page, row, wanted)
    known = catalogue.of(mapping).remote
    offered = [] if wanted else replace.suggestions(row)[:_LISTED]
    context = page.make_context(
        request,
        title=_("Replace “%(name)s” of “%(mapping)s”") % {"name": before, "mapping": mapping},
        original=mapping,
        mapping_url=page.object_url(mapping),
        row=row,
        is_gone=before not in known,
        wanted=wanted,
        refusals=refusals,
        meaning=_meaning(row, known[wanted]) if wanted in known and not refusals else [],
        offered=[(one, catalogue.label_of(known[one.remote])) for one in offered],
        others=[(name, catalogue.label_of(each)) for name, each in known.items()],
    )
    return TemplateResponse(request, "admin/crmsync/replace.html", context)


def _refusals(row: FieldMapping, wanted: str) -> list[str]:
    """What the row's own page would say beside its fields."""
    form = field_page_form.FieldPageForm({**model_to_dict(row), "remote": wanted}, instance=row)
    found = [text for texts in form.errors.values() for text in texts]
    rivals = row.mapping.fields.filter(local=row.local, remote=wanted).exclude(pk=row.pk)
    return [*found, *([_("Another row joins these two already.")] if rivals.exists() else [])]


def _replace(request: HttpRequest, page: pages.Page, row: FieldMapping, wanted: str) -> HttpResponse:
    mapping, before = row.mapping, row.remote
    count = replace.replace(row, wanted, request.user.pk)
    facts = {"local": row.local, "before": before, "after": wanted, "count": count}
    page.log_change(request, mapping, _("%(local)s: “%(before)s” was replaced by “%(after)s”.") % facts)
    text = _(
        "%(local)s goes to “%(after)s” now instead of “%(before)s”. Records that waited and are looked at again:"
    )
    page.say(request, f"{text % facts} {count}.")
    jobs.ring()
    return HttpResponseRedirect(page.object_url(mapping))


def _meaning(row: FieldMapping, other: RemoteProperty) -> list[object]:
    """The preview: what is written where, and when."""
    facts = {"local": row.local, "before": row.remote, "after": catalogue.label_of(other)}
    lines = [
        _("%(local)s is joined with %(after)s instead of “%(before)s”.") % facts,
        _("Direction: %(way)s. Where both sides have a value: %(rule)s.")
        % {"way": row.get_direction_display(), "rule": row.get_conflict_display()},
        _("What both sides agreed on is forgotten for this field alone: it is compared afresh, record by record."),
        review.concern(row.mapping),
        _("The old property and its values in HubSpot are left as they are."),
    ]
    if row.value_map.exists():
        lines.append(
            _("The lines of its value map stay: look through them, since the new property has other options.")
        )
    return lines
