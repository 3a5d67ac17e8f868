"""The outbox's page: an entry of a related row is shown as what it is, not as a record."""

from tests import factories


def test_an_entry_of_a_related_row_says_which_records_it_stands_for(boss, pages):
    """I14: staff see what waits, and why."""
    row = factories.OutboxEntryFactory(via="organisation", local_pk="71")
    factories.OutboxEntryFactory(local_pk="72")
    html = boss.get(pages.list("outboxentry")).content.decode()
    assert "every record whose organisation is 71" in html
    assert "every record whose" not in html.replace("every record whose organisation is 71", "")
    page = boss.get(pages.of(row)).content.decode()
    assert "read along" in page.lower()


def test_related_rows_are_told_apart_by_a_filter(boss, pages):
    """I14."""
    row = factories.OutboxEntryFactory(via="organisation")
    other = factories.OutboxEntryFactory()
    for empty, wanted in (("0", row), ("1", other)):
        found = boss.get(pages.list("outboxentry"), {"via__isempty": empty}).context["cl"].result_list
        assert list(found) == [wanted]
