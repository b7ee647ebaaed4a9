"""Read what experts wrote about clusters: CSV files or the published JSON form. Every fault is named with its line."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from pmc_assets.annotations.taxonomy import Taxonomy

COLUMNS = ("cluster_id", "panel_type", "panel_subtype", "primary_label", "secondary_label", "annotator", "note")
REQUIRED = ("cluster_id", "primary_label", "annotator")
LABEL_SEPARATOR = ";"
_SINGLE_WORDS = {"single", "single panel", "one panel"}
_MULTIPLE_WORDS = {"multiple", "multi", "multipanel", "multi panel", "multiple panel", "multiple panels", "compound"}


class FaultyLabels(ValueError):
    """Label files with faults; `faults` lists every one as `file:line: what`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(f"{len(faults)} faults in the label files:\n" + "\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class ClusterLabel:
    """What one annotator says of one cluster, in the taxonomy's spelling. Empty where nothing is said."""

    cluster_id: int
    panel_type: str
    panel_subtype: str
    primary: tuple[str, ...]
    secondary: tuple[str, ...]
    annotator: str
    note: str


@dataclass(frozen=True, slots=True)
class _Line:
    place: str
    values: dict[str, str]


def read_label_files(files: dict[str, bytes], taxonomy: Taxonomy, clusters: int) -> list[ClusterLabel]:
    """Read and check all label files of one model together; `files` maps name to content.

    Shape: by cluster, then annotator.
    Raises: FaultyLabels with every fault of every file.
    """
    faults: list[str] = []
    labels: list[ClusterLabel] = []
    seen: dict[tuple[int, str], str] = {}
    for name, content in sorted(files.items()):
        for line in _lines(name, content, faults):
            found = len(faults)
            label = _label(line, taxonomy, clusters, faults)
            key = label.cluster_id, label.annotator.casefold()
            if key in seen and label.cluster_id >= 0:
                faults.append(f"{line.place}: {label.annotator} named cluster {label.cluster_id} already ({seen[key]})")
            seen.setdefault(key, line.place)
            if len(faults) == found:
                labels.append(label)
    if faults:
        raise FaultyLabels(faults)
    return sorted(labels, key=lambda label: (label.cluster_id, label.annotator))


def _lines(name: str, content: bytes, faults: list[str]) -> Iterator[_Line]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(f"{name}:1: not UTF-8: {error}")
        return
    yield from _json_lines(name, text, faults) if name.casefold().endswith(".json") else _csv_lines(name, text, faults)


def _csv_lines(name: str, text: str, faults: list[str]) -> Iterator[_Line]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [column.strip() for column in reader.fieldnames or []]
        reader.fieldnames = header
        missing = [column for column in REQUIRED if column not in header]
        unknown = [column for column in header if column not in COLUMNS]
        twice = sorted({column for column in header if header.count(column) > 1})
        if missing or unknown or twice:
            wrong = f"missing {missing}, unknown {unknown}, twice {twice}"
            faults.append(f"{name}:1: columns {', '.join(header) or 'none'}: {wrong}")
            return
        for row in reader:
            place = f"{name}:{reader.line_num}"
            if None in row or None in row.values():
                faults.append(f"{place}: {len(header)} columns expected")
            elif any(value.strip() for value in row.values()):
                yield _Line(place, {column: row.get(column, "").strip() for column in COLUMNS})
    except csv.Error as error:
        faults.append(f"{name}:{reader.line_num + 1}: {error}")


def _json_lines(name: str, text: str, faults: list[str]) -> Iterator[_Line]:
    """Read the published form, an object by cluster id; an entry without annotator has the file's name for one."""
    try:
        document = json.loads(text, object_pairs_hook=_each_key_once)
        entries = list(document.items())
    except (ValueError, AttributeError, RecursionError) as error:
        faults.append(f"{name}:1: not a JSON object of clusters: {error}")
        return
    for cluster_id, entry in entries:
        line = text.count("\n", 0, max(0, text.find(f'"{cluster_id}"'))) + 1
        place = f"{name}:{line}"
        if not isinstance(entry, dict):
            faults.append(f"{place}: cluster {cluster_id}: not an object")
            continue
        yield _Line(
            place,
            {
                "cluster_id": str(cluster_id),
                "panel_type": _joined(entry.get("panel_type")),
                "panel_subtype": _joined(entry.get("panel_subtype")),
                "primary_label": _joined(entry.get("global_class")),
                "secondary_label": _joined(entry.get("local_class")),
                "annotator": str(entry.get("annotator") or PurePosixPath(name).stem),
                "note": str(entry.get("note") or ""),
            },
        )


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        twice = sorted({key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1})
        raise ValueError(f"{', '.join(twice)} stands there more than once")
    return entries


def _joined(value: object) -> str:
    return LABEL_SEPARATOR.join(map(str, value)) if isinstance(value, list) else str(value or "")


def _label(line: _Line, taxonomy: Taxonomy, clusters: int, faults: list[str]) -> ClusterLabel:
    values = line.values

    def fault(text: str) -> None:
        faults.append(f"{line.place}: {text}")

    cluster_id = int(values["cluster_id"]) if values["cluster_id"].isdecimal() else -1
    if not 0 <= cluster_id < clusters:
        fault(f"cluster_id {values['cluster_id']!r} is not one of 0 to {clusters - 1}")
    if not values["annotator"]:
        fault("annotator is empty")
    primary, secondary = [], []
    for text in _split(values["primary_label"]):
        name = taxonomy.find_global(text)
        primary.append(name) if name else fault(f"{text!r} is not a global concept of the taxonomy")
    for text in _split(values["secondary_label"]):
        name = taxonomy.find_local(text)
        if name is None:
            fault(f"{text!r} is not a local concept of the taxonomy")
        elif (parent := taxonomy.locals_[name].parent) not in primary:
            fault(f"{text!r} belongs to {parent!r}, which is not in primary_label")
        else:
            secondary.append(name)
    panel_type, panel_subtype = _panels(values["panel_type"], values["panel_subtype"], taxonomy, fault)
    names = tuple(dict.fromkeys(primary)), tuple(dict.fromkeys(secondary))
    return ClusterLabel(cluster_id, panel_type, panel_subtype, *names, values["annotator"], values["note"])


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(LABEL_SEPARATOR) if part.strip()]


def _panels(type_text: str, subtype_text: str, taxonomy: Taxonomy, fault: Callable[[str], None]) -> tuple[str, str]:
    """Read panel type and subtype; a subtype such as `single panel` states its type too."""
    panel_type = _panel_type(type_text)
    if type_text and not panel_type:
        fault(f"panel_type {type_text!r} is neither single nor multiple")
    subtype = subtype_text.casefold().strip()
    implied = _panel_type(subtype) or next((name for name, subs in taxonomy.panel_types.items() if subtype in subs), "")
    if subtype and not implied:
        fault(f"panel_subtype {subtype_text!r} is not one of the taxonomy")
    if panel_type and implied and panel_type != implied:
        fault(f"panel_type {panel_type!r} contradicts panel_subtype {subtype_text!r}")
    known = subtype if subtype in taxonomy.panel_types.get(implied, ()) else ""
    return panel_type or implied, known


def _panel_type(text: str) -> str:
    """Read a panel type however experts spell it. Empty: "" if it is none."""
    words = " ".join(text.casefold().replace("-", " ").replace("_", " ").split("(")[0].split("–")[0].split())
    if words in _SINGLE_WORDS:
        return "single"
    return "multiple" if words in _MULTIPLE_WORDS else ""
