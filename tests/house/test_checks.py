"""System checks: each wrong set-up is named by number, with the remedy as its hint."""

import pytest

from crmsync import checks


def found(app_configs=None) -> dict[str, str]:
    return {one.id: one.hint for one in checks.check_settings(app_configs)}


@pytest.mark.parametrize(
    ("change", "number", "words"),
    [
        ({"LEASE_SECONDS": "ten"}, "crmsync.E001", "settings"),
        ({"RUNER": "rq"}, "crmsync.W001", "RUNNER"),
        ({"RUNNER": "celery"}, "crmsync.E002", "crmsync_worker"),
        ({"MODELS": []}, "crmsync.W002", "MODELS"),
        ({"MODELS": ["demo.Nobody"]}, "crmsync.E003", "INSTALLED_APPS"),
        ({"RUNNER": "rq", "QUEUE": "elsewhere"}, "crmsync.E004", "RQ_QUEUES"),
        ({"API_URL": "http://api.hubapi.com"}, "crmsync.E006", "TLS"),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(settings, change, number, words) -> None:
    """E3: wrong keys and values are check messages that say what to do."""
    settings.CRMSYNC = {**settings.CRMSYNC, **change}
    assert words in found()[number]


def test_the_demo_is_right() -> None:
    assert found() == {}


def test_missing_fernet_keys_are_warned_of(settings) -> None:
    """C18: secrets must not hang on SECRET_KEY alone."""
    settings.FERNET_KEYS = []
    assert [one.id for one in checks.check_fernet(None)] == ["crmsync.W003"]
