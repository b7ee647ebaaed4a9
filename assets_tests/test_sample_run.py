"""The first run, on the embedded sample: every image beside its own caption, every trait of the truth accounted for."""

from pathlib import Path

from made_lake import ONE_AT_ONCE, SAMPLE_BATCH, MadeLake

IMAGE_KEY = "pmcid, version, figure_index, graphic_index"


def test_every_whole_image_of_the_truth_is_paired_with_its_file(sample_lake: MadeLake) -> None:
    rows = sample_lake.rows(f"select {IMAGE_KEY}, image_name from core.images")
    paired = {row[:4]: row[4] for row in rows}
    articles = set(sample_lake.rows("select pmcid, version from core.articles"))
    expected = {
        (t["pmcid"], t["version"], t["figure_index"], t["graphic_index"]): t["image_name"]
        for t in sample_lake.truth()
        if not t["fault"]
        and t["deposit_trait"] != "unresolved_graphic"
        and t["kind"] in ("figure", "scheme")
        and (t["pmcid"], t["version"]) in articles
    }
    assert len(expected) > 150
    assert {key: paired.get(key) for key in expected} == expected


def test_every_faulty_image_of_the_truth_is_a_reject_unless_its_twin_can_be_read(sample_lake: MadeLake) -> None:
    articles = set(sample_lake.rows("select pmcid, version from core.articles"))
    faulty = [t for t in sample_lake.truth() if t["fault"] and (t["pmcid"], t["version"]) in articles]
    rejected = set(sample_lake.rows("select pmcid, version from core.rejects where stage in ('images', 'packages')"))
    twins = {row[:4]: row[4] for row in sample_lake.rows(f"select {IMAGE_KEY}, image_name from core.images")}
    assert faulty
    for t in faulty:
        if (t["pmcid"], t["version"]) not in rejected:
            twin = twins[t["pmcid"], t["version"], t["figure_index"], t["graphic_index"]]
            assert twin == Path(t["image_name"]).with_suffix(".gif").name


def test_a_first_run_shows_each_way_to_be_left_out(sample_lake: MadeLake) -> None:
    reasons = {reason for (reason,) in sample_lake.rows("select distinct reason from core.rejects")}
    assert reasons >= {
        "bad_inventory_row",
        "not_open_access",
        "not_preferred",
        "bad_xml",
        "media_missing",
        "md5_mismatch",
        "image_unreadable",
        "media_not_offered",
        "caption_empty",
        "record_is_book",
        "record_missing",
    }


def test_listed_is_stored_plus_rejected_over_the_whole_lake(sample_lake: MadeLake) -> None:
    count = lambda sql: sample_lake.rows(f"select count(*) from {sql}")[0][0]  # noqa: E731
    rejected = lambda *stages: count(f"core.rejects where stage in {(*stages, '')}")  # noqa: E731
    assert count("raw.inventory") == count("raw.article_versions") + rejected("article_versions")
    assert count("raw.article_versions") == count("raw.filelists") + rejected("filelists")
    assert count("core.images") == count("out.samples") + rejected("samples")
    assert count("out.samples") == count("out.shards") + rejected("shards")
    assert count("core.images") == count("core.embeddings") + rejected("embeddings")
    assert count("core.embeddings") == count("core.annotations")


def test_an_offline_first_run_ends_with_labels(sample_lake: MadeLake) -> None:
    labels = dict(sample_lake.rows("select primary_label[1], count(*) from out.samples group by 1"))
    assert len([label for label in labels if label]) >= 6


def test_one_asset_of_one_cell_rerun_by_command_gives_identical_bytes(sample_lake: MadeLake) -> None:
    before = sample_lake.digests()
    cell = ("--batch", SAMPLE_BATCH, "--license-group", "noncommercial", *ONE_AT_ONCE)
    one = sample_lake.command("run", *cell, "--select", 'key:"core/images"')
    assert one.returncode == 0, one.stderr
    assert len(before) > 15
    assert sample_lake.digests() == before


def test_a_sync_without_news_runs_the_inventory_alone(sample_lake: MadeLake) -> None:
    answer = sample_lake.command("sync", *ONE_AT_ONCE)
    assert answer.returncode == 0, answer.stderr
    assert "1 runs, 0 failed" in answer.stderr


def test_status_misses_nothing(sample_lake: MadeLake) -> None:
    answer = sample_lake.command("status")
    assert answer.returncode == 0, answer.stderr
    assert "Nothing is missing" in answer.stdout


def test_mistakes_are_one_line_and_not_exit_code_0(sample_lake: MadeLake) -> None:
    for arguments in (
        ("run", "--batch", "PMC1"),
        ("run", "--select", "key:nothing and ("),
        ("sql", "selec 1"),
        ("sql", "select * from read_text('/etc/passwd')"),
        ("subset", "--name", "nothing"),
        ("publish", "file:///tmp/nowhere", "--license-group", "everything"),
    ):
        answer = sample_lake.command(*arguments)
        assert answer.returncode != 0, arguments
        assert "Traceback" not in answer.stderr, (arguments, answer.stderr)
