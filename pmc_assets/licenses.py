"""Licence codes and the groups of use that follow from them."""

LICENSE_GROUPS = ("commercial", "noncommercial", "other")

_GROUP_OF_CODE = {
    "CC0": "commercial",
    "CC BY": "commercial",
    "CC BY-SA": "commercial",
    "CC BY-ND": "commercial",
    "CC BY-NC": "noncommercial",
    "CC BY-NC-SA": "noncommercial",
    "CC BY-NC-ND": "noncommercial",
}


def license_group(license_code: str | None) -> str:
    """Derive the licence group from the code as NLM states it; an unknown code or none is `other`."""
    return _GROUP_OF_CODE.get(license_code or "", "other")


def codes_of_group(group: str) -> tuple[str, ...]:
    """List the licence codes of a group; `other` has no closed list and gives ()."""
    return tuple(code for code, of_group in _GROUP_OF_CODE.items() if of_group == group)
