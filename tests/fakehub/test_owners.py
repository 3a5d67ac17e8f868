"""Owners."""

PATH = "/crm/owners/2026-09"


def test_live_owners_by_default_and_archived_ones_on_request(api):
    live = api.get(PATH)["results"]
    assert [one["email"].split(".")[0] for one in live] == ["ada", "grace", "katherine"]
    (gone,) = api.get(f"{PATH}?archived=true")["results"]
    assert (gone["userId"], gone["userIdIncludingInactive"], gone["archived"]) == (None, 9586507, True)


def test_owner_ids_are_no_user_ids(api):
    one = api.get(PATH)["results"][0]
    assert str(one["userId"]) != one["id"]
    assert api.get(f"{PATH}/{one['id']}") == one
    assert api.get(f"{PATH}/{one['userId']}?idProperty=userId") == one
    assert api("GET", f"{PATH}/{one['userId']}")[0] == 404
    assert api("GET", f"{PATH}/41629782")[0] == 404
    assert api.get(f"{PATH}/41629782?archived=true")["archived"] is True


def test_by_email_and_in_pages(api, portal):
    assert len(api.get(f"{PATH}?email=Grace.Hopper@fakehub.dev")["results"]) == 1
    portal.add_owner("41629790", "new@fakehub.dev", "New", "Owner", 5)
    first = api.get(f"{PATH}?limit=2")
    rest = api.get(f"{PATH}?limit=2&after={first['paging']['next']['after']}")
    assert [one["id"] for one in first["results"] + rest["results"]] == [
        "41629779",
        "41629780",
        "41629781",
        "41629790",
    ]
    assert "paging" not in rest


def test_the_legacy_path_with_a_slash(api):
    assert len(api.get("/crm/v3/owners/?limit=100")["results"]) == 3
    assert api("GET", f"{PATH}?limit=501")[0] == 400
