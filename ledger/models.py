"""Tables of the ledger. Only this package reads or writes them.

`Entry` is the log; `Pending` waits for its place in it; `Mention` finds both by the
digests in their public parts; `Body` holds, encrypted, what entries commit to; `Head`
and `Checkpoint` say how far log and signature have come, `PolicyVersion` and `Witness`
who is asked to cosign; `VaultKey` lives in a database of its own, `ErasedKey` names the
vault keys that were destroyed.
"""

from django.db import models
from django.db.models import Q


class Pending(models.Model):
    """An event accepted by a business transaction that has no place in the log yet.

    `id` gives the order of acceptance. It never becomes `seq`: a rolled back
    transaction leaves a hole in an identity column, and holes are what a log that
    lost an entry has.
    """

    id = models.BigAutoField(primary_key=True)
    event = models.UUIDField(unique=True)
    type = models.CharField(max_length=40)
    pub = models.JSONField()
    commit = models.BinaryField(max_length=32)
    accepted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "pending entries"

    def __str__(self) -> str:
        return f"pending {self.type} {self.event}"


class Mention(models.Model):
    """A digest that an event, pending or sequenced, says in public (`mentions`)."""

    event = models.UUIDField()
    type = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["event", "digest"], name="ledger_mention_is_made_once"
            ),
        ]
        indexes = [
            models.Index(fields=["digest", "type"], name="ledger_mention_of_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.type} mentions {self.digest[:8]}"


class Entry(models.Model):
    """One entry: its exact bytes and what is derived from them for look-ups."""

    seq = models.BigIntegerField(primary_key=True)
    event = models.UUIDField(unique=True)
    data = models.BinaryField(max_length=8192)
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(seq__gte=0), name="ledger_entry_seq_starts_at_zero"
            ),
        ]

    def __str__(self) -> str:
        return f"entry {self.seq}"


class Head(models.Model):
    """The one row that says where the log ends; written by the sequencer alone.

    `frontier` is the right edge of the tree (`ledger.tlog.hashing.Frontier`), so that
    the sequencer never reads the log again.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    size = models.BigIntegerField()
    frontier = models.BinaryField()
    last_leaf = models.BinaryField(max_length=32)
    last_time = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="ledger_head_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"head at {self.size}"


class Body(models.Model):
    """What an entry commits to, encrypted under a key derived from the vault key.

    Written with the pending entry and kept when that is sequenced: the event is
    unique here for good. For a subject's event, `subject_seq` counts the events of
    that subject from 1. An erased body has lost its ciphertext, commitment and key
    id, so that nothing ties one person's entries together any more.
    """

    event = models.UUIDField(primary_key=True)
    key_id = models.UUIDField(null=True, db_index=True)
    subject_seq = models.IntegerField(null=True)
    commit = models.BinaryField(max_length=32, null=True)
    sealed = models.BinaryField(null=True)

    class Meta:
        verbose_name_plural = "bodies"
        constraints = [
            models.UniqueConstraint(
                fields=["key_id", "subject_seq"],
                name="ledger_body_subject_seq_counts_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    key_id__isnull=False, commit__isnull=False, sealed__isnull=False
                )
                | Q(
                    key_id__isnull=True,
                    subject_seq__isnull=True,
                    commit__isnull=True,
                    sealed__isnull=True,
                ),
                name="ledger_body_is_whole_or_erased",
            ),
            models.CheckConstraint(
                condition=Q(subject_seq__isnull=True) | Q(subject_seq__gte=1),
                name="ledger_body_subject_seq_starts_at_one",
            ),
        ]

    def __str__(self) -> str:
        return f"body of {self.event}"


class PolicyVersion(models.Model):
    """A policy that the log announced: in its genesis, or in a `log.policy` entry.

    The last row is the one announced last; an earlier text may come back.
    """

    sha256 = models.CharField(max_length=64)
    # As bytes: a policy may hold octets of no encoding.
    text = models.BinaryField()
    announced_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"policy {self.sha256[:8]}"


class Checkpoint(models.Model):
    """A published head: the note as it was signed and cosigned, and the frontier.

    With a row the release gate opens, so it comes after the file that others read.
    `policy` is the one whose quorum the note meets.
    """

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    note = models.BinaryField()
    frontier = models.BinaryField()
    signed_at = models.DateTimeField()
    policy = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(size__gte=1), name="ledger_checkpoint_covers_an_entry"
            ),
        ]

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"


class Witness(models.Model):
    """How far a witness has come, by its key; which ones count says the policy."""

    key = models.CharField(max_length=400, primary_key=True)
    name = models.CharField(max_length=255)
    # What it cosigned last, and where the next proof for it starts.
    size = models.BigIntegerField(default=0)
    cosigned_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    # Why it did not cosign when it was asked last; empty when it did.
    failure = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"witness {self.name} at {self.size}"


class VaultKey(models.Model):
    """A random key of 32 bytes, wrapped by the service key; destroying it erases.

    Its id says nothing: it stays as a tombstone when the key is gone.
    """

    id = models.UUIDField(primary_key=True)
    wrapped = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(wrapped__isnull=True, destroyed_at__isnull=False)
                | Q(wrapped__isnull=False, destroyed_at__isnull=True),
                name="ledger_vaultkey_is_kept_or_destroyed",
            ),
        ]

    def __str__(self) -> str:
        return f"vault key {self.id}"


class ErasedKey(models.Model):
    """The tombstone of a vault key that was destroyed for an erasure.

    A restored vault may hold the key again: with this row it opens nothing, and is
    destroyed once more. Kept is a digest of the key's id: it finds the key where there
    is one, and is nothing to search for where there is none.
    """

    digest = models.CharField(max_length=64, primary_key=True)

    def __str__(self) -> str:
        return f"tombstone {self.digest[:8]}"


class Verification(models.Model):
    """A wish to replay the whole ledger, and once it ended, what it found."""

    requested_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    entries = models.BigIntegerField(default=0)
    published = models.BigIntegerField(default=0)
    # [{"code": ..., "message": ...}, ...], the first of them.
    findings = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True) | Q(started_at__isnull=False),
                name="ledger_verification_started_before_it_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"verification asked for at {self.requested_at.isoformat()}"
