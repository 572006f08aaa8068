"""Count tries in the cache, so that guessing comes to a halt.

The count lives in the web process: neither signing nor withdrawing may need the
broker, and a restart gives an attacker no more than another handful of tries.
"""

from django.core.cache import cache

MAX_TRIES = 5
WINDOW_S = 15 * 60


def take(key: str) -> bool:
    """Count one try and return whether it is still allowed.

    It is counted before the answer is looked at, so that tries sent side by side
    gain nothing. The window runs from the first.
    """
    name = _cache_key(key)
    if cache.add(name, 1, WINDOW_S):
        return True
    try:
        return cache.incr(name) <= MAX_TRIES
    except ValueError:  # It ran out between the two calls: a new window begins.
        return cache.add(name, 1, WINDOW_S)


def forget(key: str) -> None:
    """Start over, after a right answer."""
    cache.delete(_cache_key(key))


def _cache_key(key: str) -> str:
    return f"gemmule.accounts.tries:{key}"
