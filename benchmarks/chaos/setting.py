"""The product and the portal before the chaos: the demo's own story up to its live mappings, of any size."""

from benchmarks.chaos.stage import Stage
from project.demo import factories, portal
from project.demo.models import Organisation, Person
from project.demo.story import STEPS, Story

SHARED = 3  # every third record is on both sides, typed in differently
BEFORE = ("Connect", "Discover", "Three mappings", "Preview", "Go live")


def fill(stage: Stage, story: Story) -> None:
    """Both sides' own data: of the demo's full size, or of the size wished."""
    people = stage.options.people
    if people:
        factories.build_world(stage.world.seed, people=people, organisations=people // 3, opportunities=people // 5)
    tell(stage, story, "The product's data")
    if people:
        factories.reseed(stage.world.seed, start=portal.PORTAL_NUMBERS)
        for kind, rows in make_portal(people).items():
            story.hub.create(kind, rows)
    tell(stage, story, "The portal's data")


def make_portal(people: int) -> dict[str, list[portal.Properties]]:
    contacts = [
        portal.vary_contact(portal.to_contact(person), number)
        for number, person in enumerate(Person.objects.order_by("pk")[::SHARED])
    ]
    strangers = factories.PersonFactory.build_batch(people // SHARED, mail_domain="mail.example.org")
    companies = [
        portal.vary_company(portal.to_company(organisation), number)
        for number, organisation in enumerate(Organisation.objects.order_by("pk")[::SHARED])
        if organisation.domain
    ]
    return {"contacts": contacts + [portal.to_contact(person) for person in strangers], "companies": companies}


def connect(stage: Stage, story: Story) -> None:
    """From a token to live mappings."""
    for name in BEFORE:
        tell(stage, story, name)


def tell(stage: Stage, story: Story, name: str) -> None:
    """One step of the demo's story; one that fails fails the chaos."""
    before = len(story.failed)
    story.step(name, lambda: STEPS[name](story))
    for line in story.failed[before:]:
        stage.fail(line)
