"""The errors of the ledger are one tree, and it is drawn."""

from ledger import errors


def test_errors_have_one_root() -> None:
    for each in vars(errors).values():
        if isinstance(each, type) and issubclass(each, Exception):
            assert issubclass(each, errors.LedgerError)
            assert f"── {each.__name__}" in (errors.__doc__ or "") or (
                each is errors.LedgerError
            )
