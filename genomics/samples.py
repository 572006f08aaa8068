"""Check the samples that a job names, and the spans that their donors withhold.

Which donors a release holds, and why, is left to the caller of the job.
"""

import re
from collections.abc import Mapping, Sequence

from genomics.errors import JobInvalid
from genomics.jsonfields import Span

# Names become columns of a file and parts of a path: no separators, no formula signs.
OUTPUT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_samples(samples: Sequence[tuple[str, str]]) -> None:
    """Raise JobInvalid unless each (source name, output name) is sound and unique."""
    if not samples:
        raise JobInvalid("expected at least one sample, got none")
    if len({source for source, _ in samples}) != len(samples):
        raise JobInvalid("expected each source sample once")
    if len({output for _, output in samples}) != len(samples):
        raise JobInvalid("expected each output name once")
    if not all(OUTPUT_NAME.fullmatch(output) for _, output in samples):
        raise JobInvalid(f"expected output names like {OUTPUT_NAME.pattern}")


def check_withheld(
    samples: Sequence[tuple[str, str]],
    withheld: Mapping[str, Sequence[Span]],
    build: str | None,
) -> None:
    """Raise JobInvalid unless the spans are sound and of samples of the job."""
    strangers = withheld.keys() - {source for source, _ in samples}
    if strangers:
        raise JobInvalid(
            f"expected withheld regions of samples of the job only, "
            f"got {len(strangers)} of others"
        )
    for spans in withheld.values():
        for span in spans:
            check_span(span)
    # Without a build a coordinate means nothing, and a guess could disclose.
    if any(withheld.values()) and build is None:
        raise JobInvalid("expected a genome build for withheld regions, got none")


def check_span(span: Span) -> None:
    """Raise JobInvalid unless a span is 0-based, half-open and not empty."""
    contig, start_0, end = span
    if not contig or not 0 <= start_0 < end:
        raise JobInvalid("expected spans [contig, start_0, end) with start_0 < end")
