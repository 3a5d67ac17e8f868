"""Runs: progress, counts that lead to their rows, stopping and resuming."""

import pytest

from crmsync.models import Run
from tests import factories
from tests.admin.conftest import said


def test_counts_lead_to_the_log_entries_behind_them(boss, pages):
    run = factories.RunFactory(counts={"created": 4, "unchanged": 90, "failed": 1}, done=95, total=200)
    html = boss.get(pages.of(run)).content.decode()
    assert f'href="/admin/crmsync/logentry/?run__id__exact={run.pk}&amp;outcome__exact=created">4 created' in html
    assert "90 in sync" in html
    assert "1 needs attention" in html
    assert '<progress max="200" value="95" aria-label="95 of 200">' in html


def test_the_log_can_be_filtered_by_run(boss, pages):
    run = factories.RunFactory()
    entry = factories.LogEntryFactory(mapping=run.mapping, run=run)
    factories.LogEntryFactory()
    found = boss.get(pages.list("logentry"), {"run__id__exact": run.pk}).context["cl"].result_list
    assert list(found) == [entry]


def test_a_running_run_is_stopped_and_resumed(staff, pages):
    run = factories.RunFactory(lease="worker", done=7)
    operator = staff("view_run", "operate_sync")
    assert [tool.name for tool in operator.get(pages.of(run)).context["crmsync_tools"]] == ["stop"]
    pages.act(operator, "stop", run, sure=False, tool=True)
    assert Run.objects.values_list("state", "done").get() == ("stopped", 7)
    assert [tool.name for tool in operator.get(pages.of(run)).context["crmsync_tools"]] == ["resume"]
    pages.act(operator, "resume", run, sure=False, tool=True)
    assert Run.objects.values_list("state", "done").get() == ("running", 7)


@pytest.mark.parametrize("state", ["finished", "failed", "stopped"])
def test_only_a_running_run_is_stopped(boss, pages, state):
    run = factories.RunFactory(state=state)
    assert "Only a running run" in said(pages.act(boss, "stop", run))
    assert Run.objects.get().state == state


def test_a_finished_run_is_not_resumed(boss, pages):
    run = factories.RunFactory(state="finished")
    assert "start a new backfill" in said(pages.act(boss, "resume", run))


def test_a_run_of_a_paused_mapping_is_not_resumed(boss, pages):
    run = factories.RunFactory(state="stopped", mapping__state="paused")
    assert "live first" in said(pages.act(boss, "resume", run))
    assert Run.objects.get().state == "stopped"
