"""Who wins a field that both sides changed; it knows policies and clocks, not values."""

from dataclasses import dataclass
from datetime import datetime

from crmsync.engine import terms


@dataclass(frozen=True, slots=True)
class Verdict:
    """The side whose value stays, None where a person must choose, and the rule that says so."""

    winner: terms.SideName | None
    rule: terms.Cause


_FIXED = {
    terms.ConflictPolicy.PREFER_LOCAL: Verdict(terms.SideName.LOCAL, terms.Cause.PREFER_LOCAL),
    terms.ConflictPolicy.PREFER_HUBSPOT: Verdict(terms.SideName.REMOTE, terms.Cause.PREFER_HUBSPOT),
    terms.ConflictPolicy.ASK: Verdict(None, terms.Cause.ASK),
}


def decide(policy: terms.ConflictPolicy, *, local_at: datetime | None, remote_at: datetime | None) -> Verdict:
    """The verdict of a policy; ``newest`` compares when the *records* were modified, aware datetimes.

    Neither side keeps a time for each field that both could trust, so this is only as good as two clocks.
    A tie or an unknown time goes to HubSpot, so that every worker decides alike.
    """
    if policy is not terms.ConflictPolicy.NEWEST:
        return _FIXED[policy]
    is_local_newer = local_at is not None and remote_at is not None and local_at > remote_at
    winner = terms.SideName.LOCAL if is_local_newer else terms.SideName.REMOTE
    return Verdict(winner, terms.Cause.NEWEST)
