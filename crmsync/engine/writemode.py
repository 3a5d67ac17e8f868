"""Write modes: whether a value may be written over what is there, and what appending it makes of that."""

from crmsync.engine import canonical, convert, spec, terms


def is_kept_out(one: spec.FieldSpec, *, target: str | None, said: object) -> bool:
    """Whether the field's write mode or blank policy leaves the target of an existing record as it is.

    ``said`` is the value as the target's side would say it, None for blank. A blank only ever clears where a
    field overwrites and its policy says clear.
    """
    if one.write_mode is terms.WriteMode.IF_NEW:
        return True
    if said is None:
        return one.write_mode is not terms.WriteMode.OVERWRITE or one.blanks is terms.BlankPolicy.KEEP
    if one.write_mode is terms.WriteMode.OVERWRITE or is_appending(one):
        return False
    return target is not None


def is_appending(one: spec.FieldSpec) -> bool:
    """Whether new values join the old ones.

    Only text and sets of choices can: any other type is only written to blanks, so nothing is destroyed.
    """
    return one.write_mode is terms.WriteMode.APPEND and (convert.is_several(one) or _is_free_text(one))


def make_joined(one: spec.FieldSpec, *, first: str, second: str) -> str:
    """Both values in one canonical text; a value whose lines the other one holds already adds nothing."""
    if convert.is_several(one):
        choices = canonical.split_choices(first) + canonical.split_choices(second)
        return canonical.choices_text(choices) or ""
    if _has_lines(first, second):
        return first
    return second if _has_lines(second, first) else f"{first}\n{second}"


def make_addition(one: spec.FieldSpec, *, target: str | None, joined: str) -> str:
    """What to send so that HubSpot holds ``joined``.

    For checkboxes only the new choices behind a leading separator, which HubSpot reads as "append": a choice
    that a person adds meanwhile then survives.
    """
    if target is None or one.remote_type is not terms.RemoteType.CHECKBOXES:
        return joined
    known = set(canonical.split_choices(target))
    added = [choice for choice in canonical.split_choices(joined) if choice not in known]
    return canonical.SEPARATOR + canonical.SEPARATOR.join(added)


def _is_free_text(one: spec.FieldSpec) -> bool:
    is_text = one.local_type is terms.LocalType.TEXT and one.remote_type is terms.RemoteType.STRING
    return is_text and one.value_map is None


def _has_lines(text: str, part: str) -> bool:
    """Whether ``part``'s lines stand in ``text`` one after the other, outer blanks of a line aside."""
    lines, wanted = _lines(text), _lines(part)
    starts = range(len(lines) - len(wanted) + 1)
    return any(lines[start : start + len(wanted)] == wanted for start in starts)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]
