"""Why a download did not come to its end; each says with which status to exit.

DownloadError
├── InputInvalid        options or files of the caller's that cannot be used    2
│   ├── InTheWay        another file stands where one of the release should     2
│   └── SiteInvalid     what answers there does not answer as a site does       2
├── DoesNotHold         what came is not what the manifest names                1
├── SiteRefuses         the site gives nothing, and says why                    3
└── TryAgain            the same command later goes on where it stopped         4
    ├── NotReady        the release is still being made                         4
    └── Broken          a connection failed, or the site was busy: tried again  4
ReleaseChanged          the site has another version now: what was begun is void
"""


class DownloadError(Exception):
    """A download that did not come to its end."""

    status = 2


class InputInvalid(DownloadError):
    """An option or a file of the caller's cannot be used."""


class InTheWay(InputInvalid):
    """Another file stands where one of the release should come to stand."""


class SiteInvalid(InputInvalid):
    """What answers at the address does not answer as a site does."""


class DoesNotHold(DownloadError):
    """What came is not what the manifest names, or the manifest is not sound."""

    status = 1


class SiteRefuses(DownloadError):
    """The site gives nothing; `code` is the rule, `is_void` whether for ever."""

    status = 3

    def __init__(self, message: str, *, code: str) -> None:
        """Keep the rule that the site has named."""
        super().__init__(message)
        self.code = code

    @property
    def is_void(self) -> bool:
        """Tell whether what was begun is of no use any more, and to be deleted."""
        return self.code in ("release-revoked", "release-superseded")


class TryAgain(DownloadError):
    """Nothing is wrong; the same command later goes on where it stopped."""

    status = 4


class NotReady(TryAgain):
    """The release is still being made."""


class Broken(TryAgain):
    """A connection failed or the site is busy; `wait_s` is what the site asks for."""

    def __init__(self, message: str, *, wait_s: float | None = None) -> None:
        """Keep how long the site asks to wait."""
        super().__init__(message)
        self.wait_s = wait_s


class ReleaseChanged(Exception):
    """The site has another version of the release now."""
