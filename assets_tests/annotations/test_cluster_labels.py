import json

import pytest

from pmc_assets.annotations.cluster_labels import krippendorff_alpha, majority_table
from pmc_assets.annotations.label_files import ClusterLabel, FaultyLabels, read_label_files
from pmc_assets.annotations.proposals import Votes, _locals_of
from pmc_assets.annotations.taxonomy import read_taxonomy

HEAD = "cluster_id,panel_type,panel_subtype,primary_label,secondary_label,annotator,note\n"


def read(**files: str) -> list[ClusterLabel]:
    contents = {name.replace("_", "."): text.encode() for name, text in files.items()}
    return read_label_files(contents, read_taxonomy(), clusters=10)


def faults_of(**files: str) -> list[str]:
    with pytest.raises(FaultyLabels) as caught:
        read(**files)
    return caught.value.faults


def test_csv_is_read_in_the_taxonomy_s_spelling() -> None:
    labels = read(a_csv=f"\ufeff{HEAD}3,Single,one,microscopy; PLOTS & CHARTS,Box Plot,Ana,unsure\n\n")
    assert labels == [
        ClusterLabel(3, "single", "one", ("Microscopy", "Plots and Charts"), ("box plot",), "Ana", "unsure")
    ]


def test_published_json_is_read() -> None:
    entry = {
        "panel_type": "Multiple",
        "panel_subtype": "Multi-panel (homogeneous)",
        "global_class": ["Microscopy"],
        "local_class": ["light microscopy"],
    }
    labels = read(experts_json=json.dumps({"0": entry, "7": entry | {"panel_subtype": ""}}, indent=1))
    assert [(one.cluster_id, one.panel_type, one.secondary, one.annotator) for one in labels] == [
        (0, "multiple", ("light microscopy",), "experts"),
        (7, "multiple", ("light microscopy",), "experts"),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("10,,,Maps,,Ana,", "cluster_id '10'"),
        ("x,,,Maps,,Ana,", "cluster_id 'x'"),
        ("1,,,Mops,,Ana,", "'Mops' is not a global concept"),
        ("1,,,Maps,mop,Ana,", "'mop' is not a local concept"),
        ("1,,,Maps,box plot,Ana,", "belongs to 'Plots and Charts'"),
        ("1,multiple,single panel,Maps,,Ana,", "contradicts"),
        ("1,multiple,one,Maps,,Ana,", "contradicts"),
        ("1,single,grid,Maps,,Ana,", "contradicts"),
        ("1,several,,Maps,,Ana,", "neither single nor multiple"),
        ("1,,odd,Maps,,Ana,", "panel_subtype 'odd'"),
        ("1,,,Maps,,,", "annotator is empty"),
        ("1,Maps", "7 columns expected"),
        ('1,,,"Maps,,Ana,', "unexpected end of data"),
        ("2,,,Maps,,ana,", "ana named cluster 2 already (a.csv:2)"),
    ],
)
def test_each_fault_is_named_with_its_line(row: str, words: str) -> None:
    faults = faults_of(a_csv=f"{HEAD}2,single,one,Maps,,Ana,\n{row}\n")
    assert len(faults) == 1
    assert faults[0].startswith("a.csv:3: ") and words in faults[0]


def test_what_is_said_twice_is_a_fault_and_no_second_vote() -> None:
    faults = faults_of(
        a_csv="cluster_id,primary_label,annotator,annotator\n1,Maps,Ana,Ben\n",
        b_json='{"1": {"global_class": ["Maps"]}, "1": {"global_class": ["Tables"]}}',
    )
    assert ["twice ['annotator']" in faults[0], "1 stands there more than once" in faults[1]] == [True, True]
    [fault] = faults_of(b_json='{"1": {"global_class": ["Maps"]}, "01": {"global_class": ["Maps"]}}')
    assert "named cluster 1 already" in fault
    [row] = majority_table(read(a_csv=f"{HEAD}0,,,Maps; maps,,Ana,\n0,,,Tables,,Ben,\n")).to_pylist()
    assert row["primary_label"] == []


def test_votes_stay_as_they_are_when_they_are_read() -> None:
    votes = Votes()
    _locals_of(votes, ["Maps"])
    assert not votes.globals_


def test_all_faults_of_all_files_are_reported_together() -> None:
    faults = faults_of(
        a_csv=f"{HEAD}1,,,Mops,,Ana,\n1,,,Maps,,Ben,\n1,,,Maps,,Ben,\n",
        b_csv="cluster,label\n1,Maps\n",
        c_json='{"1": {"global_class": ["Mups"]}, "2": 5}',
        d_json="[]",
    )
    assert [fault.split(" ")[0] for fault in faults] == [
        "a.csv:2:",
        "a.csv:4:",
        "b.csv:1:",
        "c.json:1:",
        "c.json:1:",
        "d.json:1:",
    ]


def test_majority_of_annotators_decides() -> None:
    rows = "0,single,one,Maps,,Ana,\n0,single,one,Maps,choropleth map,Ben,\n0,multiple,,Tables,,Cleo,sure\n"
    split = "1,,,Maps,,Ana,\n1,,,Tables,,Ben,\n"
    table = majority_table(read(a_csv=HEAD + rows + split)).to_pylist()
    assert [
        (r["cluster_id"], r["primary_label"], r["secondary_label"], r["panel_type"], r["is_resolved"]) for r in table
    ] == [
        (0, ["Maps"], [], "single", True),
        (1, [], [], None, False),
    ]
    assert [round(row["agreement"], 3) for row in table] == [0.333, 0.0]
    assert table[0]["notes"] == ["sure"]


def test_alpha_is_one_for_agreement_and_low_for_discord() -> None:
    agree = "".join(f"{n},,,{'Maps' if n % 2 else 'Tables'},,{who},\n" for n in range(8) for who in ("Ana", "Ben"))
    discord = "".join(
        f"{n},,,{'Maps' if (n + k) % 2 else 'Tables'},,{who},\n"
        for n in range(8)
        for k, who in enumerate(("Ana", "Ben"))
    )

    def primary(label: ClusterLabel) -> str:
        return label.primary[0]

    assert krippendorff_alpha(read(a_csv=HEAD + agree), primary) == 1.0
    assert krippendorff_alpha(read(a_csv=HEAD + discord), primary) < 0
    alone = "0,,,Maps,,Ana,\n0,,,Maps,,Ben,\n1,,,PCR,,Ana,\n"
    assert krippendorff_alpha(read(a_csv=HEAD + alone), primary) == 1.0
    two_of_three = alone + "1,,,Maps,,Ben,\n2,,,PCR,,Ana,\n2,,,PCR,,Ben,\n"
    assert krippendorff_alpha(read(a_csv=HEAD + two_of_three), primary) == round(1 - (2 / 6) / (18 / 30), 4)
    assert krippendorff_alpha(read(a_csv=f"{HEAD}1,,,Maps,,Ana,\n"), primary) == ""
