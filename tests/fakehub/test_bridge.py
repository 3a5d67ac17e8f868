"""``requests`` in the same process reaches a portal through ``crmsync.testing.fakehub``."""

import pytest
import requests
import responses

from crmsync.testing import fakehub

URL = "https://api.hubapi.com/crm/objects/2026-09/contacts"


@pytest.fixture
def auth(portal):
    return {"Authorization": f"Bearer {portal.token}"}


def test_calls_reach_the_portal(portal, auth):
    with fakehub.connected(portal):
        made = requests.post(URL, json={"properties": {"firstname": "Ångström"}}, headers=auth, timeout=5)
        assert (made.status_code, made.headers["Content-Type"]) == (201, "application/json;charset=utf-8")
        page = requests.get(URL, params={"limit": 1, "properties": "firstname,city"}, headers=auth, timeout=5).json()
        assert page["results"][0]["properties"]["firstname"] == "Ångström"
        assert requests.delete(f"{URL}/{made.json()['id']}", headers=auth, timeout=5).status_code == 204
        assert requests.get(URL, timeout=5).status_code == 401
    assert portal.ledger.requests()[1].query == "limit=1&properties=firstname%2Ccity"


@responses.activate
def test_the_mock_of_the_decorator_is_the_default(portal, auth):
    assert fakehub.install(portal, base_url="http://hub.local") is responses.mock
    assert requests.get("http://hub.local/crm/owners/2026-09", headers=auth, timeout=5).status_code == 200


def test_an_app_is_connected_in_one_process(portal, app):
    """F6, X4: a host's test plays the whole consent without a browser or a port."""
    location = portal.consent(app.ask(state="s"))
    answer = app.returned(location)
    fields = {"grant_type": "authorization_code", "redirect_uri": app.redirect, "code": answer["code"], **app.client}
    with fakehub.connected(portal):
        made = requests.post("https://api.hubapi.com/oauth/2026-09/token", data=fields, timeout=5).json()
        auth = {"Authorization": f"Bearer {made['access_token']}"}
        seen = requests.get(URL, headers=auth, timeout=5)
        assert (seen.status_code, seen.headers["Date"]) == (200, "Thu, 01 Jan 2026 00:00:00 GMT")
        gone = "https://api.hubapi.com/appinstalls/2026-09/external-install"
        assert requests.delete(gone, headers=auth, timeout=5).status_code == 204
        assert requests.get(URL, headers=auth, timeout=5).status_code == 401


def test_other_hosts_stay_unreachable(portal):
    with fakehub.connected(portal), pytest.raises(requests.exceptions.ConnectionError):
        requests.get("https://example.com/", timeout=5)


def test_faults_raise_what_a_network_would(portal, auth):
    with fakehub.connected(portal):
        portal.plant_fault("reset", after=True)
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.post(URL, json={"properties": {"firstname": "A"}}, headers=auth, timeout=5)
        assert len(portal.records("contacts")) == 1
        portal.plant_fault("timeout")
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(URL, headers=auth, timeout=5)
        portal.plant_fault("slow", delay=6)
        with pytest.raises(requests.exceptions.ReadTimeout):
            requests.get(URL, headers=auth, timeout=(1, 5))
        portal.plant_fault("slow", delay=6)
        before = portal.clock.seconds()
        assert requests.get(URL, headers=auth, timeout=10).status_code == 200
        assert portal.clock.seconds() - before == 6
        portal.plant_fault("html")
        with pytest.raises(requests.exceptions.JSONDecodeError):
            requests.get(URL, headers=auth, timeout=5).json()
