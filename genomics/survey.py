"""Read the records that may have mates from the text of a store."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from genomics import mates
from genomics.lines import FIXED_COLUMNS
from genomics.store import Store
from genomics.subset import Subsetter


def rows_with_mates(source: Path, subsetter: Subsetter) -> Iterator[mates.Row]:
    """Yield what mates must know of the records, in the order of the store."""
    with closing(Store(source)) as store:
        for text in store.records():
            columns = text.split("\t", FIXED_COLUMNS - 1)
            if len(columns) == FIXED_COLUMNS and mates.may_have(columns[4], columns[7]):
                row = subsetter.survey_line(text, store.line)
                if row is not None:
                    yield row
