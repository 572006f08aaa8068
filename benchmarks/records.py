"""What the writers of a campaign were told, as they wrote it down themselves.

+ 0f8fad5b-d9cb-469f-a165-70867728950e     acknowledged
- 7c9e6679-7425-40de-944b-e07fc1f90ae7     taken back
"""

from pathlib import Path
from uuid import UUID

_LENGTH = len(str(UUID(int=0)))


def told(folder: Path) -> tuple[set[UUID], set[UUID]]:
    """Return the acknowledged events and those that were taken back."""
    sets: dict[str, set[UUID]] = {"+": set(), "-": set()}
    for path in folder.glob("*.txt"):
        for line in path.read_text(encoding="ascii").splitlines():
            sign, _, event = line.partition(" ")
            # The last line of a killed writer may be cut: nobody was told it.
            if len(event) == _LENGTH:
                sets[sign].add(UUID(event))
    return sets["+"], sets["-"]
