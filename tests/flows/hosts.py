"""Lets the models of tests.hostapp be synced, as a host's settings would, and takes them back afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps

from crmsync import receivers

MODELS = ["hostapp.Job", "hostapp.Line", "hostapp.Client", "hostapp.Note"]
CATEGORIES = {"hostapp.Status": "name", "hostapp.Tag": "name", "hostapp.Topic": "name"}


@contextmanager
def registered(settings, models=MODELS, categories=CATEGORIES, creates=(), **facts) -> Iterator[None]:
    """Within: these models are in MODELS beside the demo's, these are categories, and all of them are captured."""
    before = settings.CRMSYNC
    settings.CRMSYNC = {
        **before,
        "MODELS": [*before["MODELS"], *models],
        "CATEGORIES": categories,
        "CATEGORIES_CREATE": list(creates),
        **facts,
    }
    known = [apps.get_model(label) for label in (*models, *categories)]
    for model in known:
        receivers.connect(model)
    try:
        yield
    finally:
        for model in known:
            receivers.disconnect(model)
        settings.CRMSYNC = before
