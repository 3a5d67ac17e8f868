"""Asks before an action that touches more than one record or cannot be undone."""

from dataclasses import dataclass

from django.contrib.admin import helpers
from django.db import models
from django.http import HttpRequest
from django.template.response import TemplateResponse

from crmsync.admin import page as pages

# More objects than this are counted, not listed.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked. ``is_final``: it cuts something off, so the button says so by its colour, too.

    ``differs`` lists what is not as it was, ``happens`` and ``stays`` what it does and does not do, ``options`` are
    (name, label) of boxes to tick, and ``carried`` (name, value) pairs are sent again with the answer.
    ``takes_note``: there is a line for why, sent as "note".
    """

    title: object
    text: object
    is_final: bool = False
    differs: tuple[object, ...] = ()
    happens: tuple[object, ...] = ()
    stays: tuple[object, ...] = ()
    options: tuple[tuple[str, object], ...] = ()
    carried: tuple[tuple[str, str], ...] = ()
    takes_note: bool = False


def confirm(
    page: pages.Page,
    request: HttpRequest,
    rows: models.QuerySet,
    action: str,
    *,
    title: object,
    text: object,
    if_many: bool = False,
    is_final: bool = False,
) -> TemplateResponse | None:
    """The page that asks, or None once the person said yes (``if_many``: or where only one row is chosen)."""
    return ask(page, request, rows, action, Question(title, text, is_final), if_many=if_many)


def ask(
    page: pages.Page,
    request: HttpRequest,
    rows: models.QuerySet,
    action: str,
    question: Question,
    *,
    if_many: bool = False,
) -> TemplateResponse | None:
    """As ``confirm``, with all that a question can hold."""
    if request.POST.get("post") == "yes":
        return None
    count = rows.count()
    if if_many and count == 1:
        return None
    listed = list(rows[:_LISTED])
    context = page.make_context(
        request,
        title=question.title,
        question=question,
        count=count,
        more=count - len(listed),
        objects=listed,
        sent=_sent(request, action, question),
        back_url=page.object_url(listed[0]) if "_tool" in request.POST and count == 1 else page.list_url(page.model),
    )
    return TemplateResponse(request, "admin/crmsync/confirm.html", context)


def _sent(request: HttpRequest, action: str, question: Question) -> list[tuple[str, str]]:
    """(name, value) pairs that the answer yes sends: the action and its rows again."""
    name = helpers.ACTION_CHECKBOX_NAME
    return [
        *((name, pk) for pk in request.POST.getlist(name)),
        ("action", action),
        ("select_across", request.POST.get("select_across", "0")),
        ("post", "yes"),
        *([("_tool", "1")] if "_tool" in request.POST else []),
        *question.carried,
    ]
