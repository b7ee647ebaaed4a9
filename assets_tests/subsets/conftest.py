"""One lake of generated samples for all tests of subsets."""

import pytest
from generated_lake import make_lake


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> tuple[str, list[dict]]:
    """A lake of 600 samples that no test changes, and its samples as rows."""
    url = str(tmp_path_factory.mktemp("subsets") / "lake")
    return url, make_lake(url, 600, most_samples=40)
