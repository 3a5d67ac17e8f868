"""Tries a step that may fail for reasons staff can mend: what came of it, or the sentence they read."""

import logging
from collections.abc import Callable
from typing import TypeVar

from crmsync.engine import config
from crmsync.flows import (
    canary,
    choose,
    connect,
    discover,
    failures,
    lifecycle,
    once,
    propose,
    provision,
    revisions,
    standing,
    trial,
    versions,
)

logger = logging.getLogger(__name__)

T = TypeVar("T")

# What these say is written for staff.
_SPEAKING = (
    canary.CanaryError,
    choose.ChoiceError,
    config.ConfigError,
    connect.ConnectError,
    discover.DiscoveryError,
    lifecycle.LifecycleError,
    once.OnceError,
    propose.ProposalError,
    provision.ProvisionError,
    revisions.RevisionError,
    standing.StandingError,
    trial.TrialError,
    versions.VersionError,
)


def attempt(step: Callable[[], T]) -> tuple[T | None, str]:
    """(what the step gave, "") or (None, why not); a page shows the sentence, never a traceback."""
    try:
        return step(), ""
    except _SPEAKING as error:
        return None, str(error)
    except Exception as error:  # the page's net: whatever it was, the verdict has words for it
        verdict = failures.classify(error)
        if verdict.code == "system.unexpected":
            logger.exception("an admin page could not do its step")
        return None, verdict.message
