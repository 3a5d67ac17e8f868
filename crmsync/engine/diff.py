"""Three-way field diff: what changed on which side since both last agreed.

The base keeps what *each* side answered. A side has changed when its canonical text is not its own half of
the base, whatever the other side makes of that value: a HubSpot that lower-cases an address, or a value map
that gives two local values one name, never looks like a change.
"""

from crmsync.engine import changes, errors, terms

Said = str | None | errors.ConvertError
"""What a value becomes on the other side: canonical text there, None for blank, or why it cannot be said."""


ONE_WAY = errors.ConvertError(terms.Problem.DIRECTION, "The field does not flow this way.")
"""Stands for a value that is not to be converted, because its field does not flow that way."""


def classify(
    local: str | None,
    remote: str | None,
    base: changes.BaseValue | None,
    *,
    outgoing: Said,
    incoming: Said,
) -> terms.Difference:
    """What has happened to one field.

    ``local`` and ``remote`` are canonical texts as read now; ``outgoing`` is what local becomes remotely,
    ``incoming`` what remote becomes locally, ``ONE_WAY`` for a way the field does not flow.
    """
    if base is not None and base.local == local and base.remote == remote:
        return terms.Difference.UNCHANGED
    if is_agreed(local, remote, outgoing=outgoing, incoming=incoming):
        return terms.Difference.SETTLED
    if base is None:
        return terms.Difference.UNKNOWN_BASE
    if base.local == local:
        return terms.Difference.PULL
    return terms.Difference.PUSH if base.remote == remote else terms.Difference.BOTH_CHANGED


def is_agreed(local: str | None, remote: str | None, *, outgoing: Said, incoming: Said) -> bool:
    """Whether writing either side to the other would change nothing.

    One way is enough: with two local values for one HubSpot value only the way out is a function of the local
    one, and a local value whose HubSpot value is there already must stay as it is.
    """
    return outgoing == remote or incoming == local  # a ConvertError equals no text
