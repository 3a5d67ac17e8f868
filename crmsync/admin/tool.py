"""Tool: a button that posts a small form; it stands outside the page's own form, because forms cannot be nested."""

from dataclasses import dataclass

from django.contrib.admin import helpers
from django.utils.html import format_html
from django.utils.safestring import SafeString


@dataclass(frozen=True, slots=True)
class Tool:
    """``fields``: (name, value) pairs that are sent. ``is_shown`` False: only buttons elsewhere use it."""

    name: str
    label: object
    url: str
    fields: tuple[tuple[str, object], ...] = ()
    is_shown: bool = True

    @property
    def form_id(self) -> str:
        """What a button names in its ``form`` attribute."""
        return f"crmsync-{self.name}"


def of_action(name: str, label: object, list_url: str, pk: object, *, is_shown: bool = True) -> Tool:
    """An admin action as a button of one object's page."""
    fields = (
        ("action", name),
        (helpers.ACTION_CHECKBOX_NAME, pk),
        ("select_across", "0"),
        ("index", "0"),
        ("_tool", "1"),
    )
    return Tool(name, label, list_url, fields, is_shown)


def of_all(name: str, action: str, label: object, list_url: str) -> Tool:
    """An admin action as a button for every row there is."""
    fields = (("action", action), (helpers.ACTION_CHECKBOX_NAME, "0"), ("select_across", "1"), ("index", "0"))
    return Tool(name, label, list_url, fields)


def button(tool: str, label: object, *, name: str = "", value: str = "", about: object = "") -> SafeString:
    """A button for the form of a tool, to stand anywhere on its page; it may send one value of its own.

    ``about`` tells apart buttons of the same words to those who do not see what they stand beside.
    """
    return format_html(
        '<button type="submit" class="button crmsync-button" form="crmsync-{}" name="{}" value="{}" aria-label="{}">'
        "{}</button>",
        tool,
        name or "_button",
        value,
        f"{label}: {about}" if about else label,
        label,
    )
