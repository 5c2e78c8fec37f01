"""What checks find in an environment, by the name of the finding."""

from collections.abc import Mapping

from ops.doctor.examination import examine
from ops.doctor.findings import Finding, Level, Site

# The checks of findings that have another name than their check.
CHECK_OF = {
    "partitions": ("schema",),
    "failed sends": ("backlog",),
    "set aside": ("backlog",),
    "ids": ("backlog",),
}


def find(environ: Mapping[str, str], name: str, **site: object) -> list[Finding]:
    """The findings of one name."""
    only = CHECK_OF.get(name, (name,))
    examined = examine(Site(environ, **site), only=only)  # type: ignore[arg-type]
    return [finding for finding in examined if finding.name == name]


def find_level(environ: Mapping[str, str], name: str, **site: object) -> Level:
    """The level of the only finding of a name. If it is not OK, it has to say what to do."""
    [finding] = find(environ, name, **site)
    assert finding.mend or finding.level is Level.OK, finding
    return finding.level
