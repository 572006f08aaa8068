"""Jobs and results as JSON: read strictly, the same on both sides of the pipe."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics.errors import JobInvalid
from genomics.fields import FieldDefinition
from genomics.job import (
    FileDigest,
    IntakeJob,
    IntakeResult,
    Progress,
    SubsetJob,
    SubsetResult,
)
from genomics.limits import Limits
from genomics.sandbox import Resources

DEFINITION = FieldDefinition(id="GD", number="1", type="Float", description="Dosage")
SUBSET = SubsetJob(
    source=Path("/data/store/a.vcf.gz"),
    samples=(("NA1", "QWERTYUIOP"), ("Zoë::2", "ASDFGHJKL1")),
    recipient_public_key=bytes(range(32)),
    output_dir=Path("/data/releases"),
    name="GMR000001",
    build="GRCh38",
    contig_lengths={"chr2": 242193529, "chr1": 248956422},
    regions=(("17", 43044294, 43125483),),
    withheld={"NA1": (("13", 32315085, 32400268),)},
    excluded_regions=(("MT", 0, 16569),),
    format_keep=(DEFINITION,),
    info_keep=(FieldDefinition(id="AA", number="1", type="String", description=""),),
    source_sha256="0" * 64,
    records_total=381,
)
DIGEST = FileDigest(
    name="GMR000001.vcf.gz.c4gh",
    role="variants",
    sha256_plain="1" * 64,
    sha256_cipher="2" * 64,
    size_plain=1,
    size_bytes=153,
    segments=1,
)
VALUES = [
    SUBSET,
    IntakeJob(source=Path("/up/1"), store=Path("/store/1.vcf.gz"), build="GRCh37"),
    Limits(samples=5),
    Progress(records=5, records_total=None, bytes=7),
    Resources(),
    DEFINITION,
    DIGEST,
    SubsetResult(
        files=(DIGEST,),
        records_in=381,
        records_out=366,
        genotypes_withheld=0,
        records_withheld=0,
        software={"htslib": "1.24"},
    ),
    IntakeResult(
        samples=("NA1",),
        records=3,
        contigs=(("1", 249250621, 2), ("weird", None, 1)),
        sha256_source="3" * 64,
        sha256_store="4" * 64,
        sha256_columns="5" * 64,
        size_bytes=77,
        warnings=("no contig lines",),
        carriers={"GT": 2, "none": 1},
    ),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_every_value_survives_json(value: Any) -> None:
    text = json.dumps(value.to_json())
    assert type(value).from_json(json.loads(text)) == value


def test_the_job_in_the_docs_is_one() -> None:
    text = Path("docs/release-job.md").read_text()
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert example is not None
    job = SubsetJob.from_json(json.loads(example[1]))
    assert job.to_json().keys() == json.loads(example[1]).keys()


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_missing_or_an_unknown_key_is_refused(value: Any) -> None:
    good = value.to_json()
    for key in good:
        with pytest.raises(JobInvalid):
            type(value).from_json({k: v for k, v in good.items() if k != key})
    with pytest.raises(JobInvalid, match="no further keys"):
        type(value).from_json(good | {"shell": "rm"})
    nonsense: list[object] = [None, [], "x", 5]
    for item in nonsense:
        with pytest.raises(JobInvalid):
            type(value).from_json(item)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "intake"),
        ("source", "relative/path"),
        ("source", "/with\0nul"),
        ("source", 5),
        ("samples", []),
        ("samples", [["NA1"]]),
        ("samples", [["NA1", "A"], ["NA1", "B"]]),
        ("samples", [["NA1", "A"], ["NA2", "A"]]),
        ("samples", [["NA1", "=cmd()"]]),
        ("samples", [["NA1", "a\tb"]]),
        ("samples", [["NA1", ""]]),
        ("samples", {"NA1": "A"}),
        ("recipient_public_key", "AAAA"),
        ("recipient_public_key", "not base64!"),
        ("name", "../../etc/passwd"),
        ("name", ".hidden"),
        ("name", "a/b"),
        ("name", "a*"),
        ("name", "x" * 101),
        ("build", "hg19"),
        ("build", None),  # with withheld regions
        ("contig_lengths", [["1", 0]]),
        ("contig_lengths", [["1", 5], ["1", 6]]),
        ("contig_lengths", {"1": 5}),
        ("regions", [["1", 5, 5]]),
        ("regions", [["1", -1, 5]]),
        ("regions", [["", 1, 5]]),
        ("regions", [["1", 1.5, 5]]),
        ("regions", [["1", True, 5]]),
        ("regions", [["1", 1, 2**70]]),
        ("withheld", {"NA9": [["1", 1, 5]]}),
        ("withheld", {"NA1": [["1", 5, 1]]}),
        ("withheld", []),
        ("excluded_regions", None),
        ("filter_is_cohort_independent", 1),
        ("format_keep", ["GD"]),
        ("format_keep", [DEFINITION.to_json()] * 2),
        ("format_keep", [DEFINITION.to_json() | {"id": "GT"}]),
        ("format_keep", [DEFINITION.to_json() | {"id": "a b"}]),
        ("format_keep", [DEFINITION.to_json() | {"number": "X"}]),
        ("format_keep", [DEFINITION.to_json() | {"type": "Flag"}]),
        ("format_keep", [DEFINITION.to_json() | {"description": "two\nlines"}]),
        ("format_keep", [DEFINITION.to_json() | {"id": "PID", "type": "String"}]),
        ("format_keep", [DEFINITION.to_json() | {"id": "PGT"}]),
        ("format_keep", [DEFINITION.to_json() | {"id": "PSL", "number": "."}]),
        ("format_keep", [DEFINITION.to_json() | {"id": "LGT"}]),
        ("info_keep", [DEFINITION.to_json() | {"id": "MATEID"}]),
        ("info_keep", [DEFINITION.to_json() | {"id": "BEALN"}]),
        ("info_keep", [DEFINITION.to_json() | {"id": "SUPP_VEC"}]),
        ("info_keep", [DEFINITION.to_json() | {"id": "CSQ", "number": "."}]),
        ("info_keep", [DEFINITION.to_json() | {"id": "AC"}]),
        ("info_keep", [DEFINITION.to_json() | {"number": "G"}]),
        ("id_keep", False),
        ("bgzf_level", 0),
        ("bgzf_level", 10),
        ("bgzf_level", True),
        ("source_sha256", 5),
        ("records_total", -1),
    ],
)
def test_a_hostile_subset_job_is_refused(key: str, value: object) -> None:
    job: dict[str, Any] = SUBSET.to_json()
    with pytest.raises(JobInvalid) as caught:
        SubsetJob.from_json(job | {key: value})
    assert not re.search("NA1|NA9|Zo", str(caught.value))  # names stay out of messages


def test_a_list_that_names_places_is_refused_with_the_reason() -> None:
    for key, field_id, reason in (
        ("format_keep", "PID", "its value names a phase set after the place"),
        ("format_keep", "PGT", "its value numbers alleles of the source"),
        ("info_keep", "SNAME", "its value names samples"),
    ):
        named = dataclasses.replace(DEFINITION, id=field_id)
        expected = f"expected no {field_id} in {key}: {reason}"
        with pytest.raises(JobInvalid, match=expected):
            SubsetJob.from_json(SUBSET.to_json() | {key: [named.to_json()]})
    # Platypus writes the length of a homopolymer into INFO, and PS is numbered anew.
    dataclasses.replace(SUBSET, info_keep=(dataclasses.replace(DEFINITION, id="HP"),))
    dataclasses.replace(SUBSET, format_keep=(dataclasses.replace(DEFINITION, id="PS"),))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from([*SUBSET.to_json()]), inner, max_size=9)
        ),
        max_leaves=15,
    )
)
def test_any_json_is_a_job_or_an_error_of_this_room(value: Any) -> None:
    base: dict[str, Any] = SUBSET.to_json()
    for candidate in (value, base | value if isinstance(value, dict) else value):
        try:
            SubsetJob.from_json(candidate)
        except JobInvalid:
            continue


def spoken_to(stdin: bytes, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "genomics", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    "stdin",
    [
        b"",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"kind": "subset"}',
        b'{"kind": "shell"}',
        b'{"kind": ["subset"]}',
        b'{"kind": "subset", "kind": "intake"}',
        b'{"kind": "subset", "bgzf_level": NaN}',
        b"[" * 100_000,
    ],
)
def test_the_process_refuses_what_is_no_job(stdin: bytes) -> None:
    status, lines = spoken_to(stdin)
    assert status == 2
    assert lines[-1]["error"]["code"] == "job"
    assert lines[-1]["error"]["message"].startswith("expected ")


def test_the_process_refuses_other_arguments() -> None:
    resources = json.dumps(Resources().to_json())
    for arguments in (
        ["--help"],
        ["--resources", "{}", "1"],
        ["--resources", resources],
    ):
        status, lines = spoken_to(b"{}", *arguments)
        assert (status, lines[-1]["error"]["code"]) == (2, "job")


def test_the_process_does_not_outlive_a_parent_that_is_gone() -> None:
    resources = json.dumps(Resources().to_json())
    status, lines = spoken_to(b"{}", "--resources", resources, "1")
    assert status == 1
    assert "living parent" in lines[-1]["error"]["message"]
