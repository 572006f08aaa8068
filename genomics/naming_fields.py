"""Fields whose values name a place, a person, an allele or another record.

What they name may not be released: a phase set is named after a heterozygote of the
sample, an annotation describes alleles that nobody in the release carries. No list of a
steward may add them, whatever its definition says. PS is not here, because releases
number it anew (`genomics.phase_sets`); nor are fields that count alleles by their
Number (A, R, G), because their entries are removed with the alleles.

Sources: VCF 4.5, sections 1.6.2, 3 and 5, and the headers that tools write: GATK,
GATK-SV, WhatsHap, RTG, Hail, bcftools, vt, VEP, SnpEff, Sniffles, Jasmine, SURVIVOR,
svtools, Truvari, pbsv, GRIDSS, SvABA, ClinVar.
"""


def _table(rows: str) -> dict[str, str]:
    reasons: dict[str, str] = {}
    reason = ""
    for row in rows.strip().splitlines():
        ids, _, new_reason = (part.strip() for part in row.partition("|"))
        reason = new_reason or reason
        reasons |= dict.fromkeys(ids.split(), reason)
    return reasons


# Ids, and what their values do; a row without the latter continues the row above.
FORMAT = _table("""
    PID           | names a phase set after the place and alleles of its first variant
    HP            | names haplotypes after the place of the set's first variant
    PSL PSO PSQ   | names, orders or rates phase sets of the source
    IPS HS HAP    | names phase sets or haplotypes, often after places
    CO            | names places of another file
    PGT IGT OG    | numbers alleles of the source
    GLE BCSQ
    LA LGT LPGT
    RAL AAL       | spells alleles of another file
    ID            | names a record of another file
    PSV           | names samples of another file
""")

INFO = _table("""
    CHR2 POS2 END2     | names a place elsewhere
    MATEDIST METRANS
    RSPOS CPX_INTERVALS SOURCE
    AVG_START AVG_END CollapseStart CollapseEnd
    BEALN SCTG
    PHASE              | names a phase set after a place
    MATEID PARID       | names another record
    BEID BEIDL BEIDH MC
    EVENT EVENTID BKPTID
    MEMBERS IDLIST IDLIST_EXT INTRASAMPLE_IDLIST
    CollapseId MatchId
    RS DBVARID DGVID   | names a variant whose allele may be gone
    CLNHGVS ALLELEID
    DBRIPID
    SNAME SAMPLES      | names samples
    Samples set
    hiConfDeNovo loConfDeNovo
    SUPP_VEC SUPP_VEC_EXT
    RNAMES READNAMES   | names reads, and by them runs and samples
    READS
    CSQ ANN EFF BCSQ   | describes all alleles of the source's record
    vep LOF NMD
    OLD_MULTIALLELIC OLD_VARIANT
    OLD_CLUMPED OLD_REC
""")
