"""Bad input at every door is read as far as it goes or refused by name; whole input is read."""

import pytest

from benchmarks.bad_input import Door, doors, knock
from benchmarks.operations.bad_inputs import XML, whole_images
from pmc_assets.figures.images import read_image_facts
from pmc_assets.jats.article import read_article

QUICK_NUMBER = 12


@pytest.mark.parametrize("door", list(doors(QUICK_NUMBER)), ids=lambda door: door[0])
def test_door_reads_or_refuses_by_name(door: Door) -> None:
    tally = knock(*door)
    assert tally.faults == []
    assert tally.refused > 0


@pytest.mark.parametrize("kind", whole_images())
def test_whole_image_of_every_kind_is_read(kind: str) -> None:
    facts = read_image_facts(whole_images()[kind])
    assert (facts.width_px, facts.height_px) == (120, 80)


def test_the_article_that_is_spoilt_is_read_when_whole() -> None:
    assert read_article(XML).figures[0]["figure_label"] == "Figure 1"
