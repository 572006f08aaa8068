"""Convert public keys for signing (Ed25519) into keys for encrypting (X25519).

The conversion is the one of libsodium's `crypto_sign_ed25519_pk_to_curve25519`, which
the `crypt4gh` tool uses for SSH keys. Formulas: RFC 7748 section 4.1 (the map), RFC
8032 sections 5.1.3 and 5.1.4 (decoding, addition). Public keys only: nothing here runs
in constant time.
"""

from genomics.crypt4gh.x25519 import FIELD_PRIME
from genomics.errors import KeyInvalid

# RFC 7748 section 4.1: the order of the base point.
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME
_SQUARE_ROOT_OF_MINUS_1 = pow(2, (FIELD_PRIME - 1) // 4, FIELD_PRIME)

# Extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x * y = T/Z.
_Point = tuple[int, int, int, int]
_IDENTITY: _Point = (0, 1, 1, 0)


def x25519_of(ed25519_public_key: bytes) -> bytes:
    """Return the X25519 public key (32 bytes) of an Ed25519 one (32 bytes).

    Raises KeyInvalid for what is not on the curve, is encoded in a second way, has
    small order or lies outside the group of the base point: nobody holds the secret
    key of such a point, or everybody does.
    """
    point = _decoded(ed25519_public_key)
    if _is_identity(_multiple(8, point)):
        raise KeyInvalid(
            "expected a public key of full order, got a weak Ed25519 key: anyone "
            "could open files made for it"
        )
    if not _is_identity(_multiple(_ORDER, point)):
        raise _not_ed25519()
    y = point[1]
    # u = (1 + y) / (1 - y)
    u = (1 + y) * pow(1 - y, -1, FIELD_PRIME) % FIELD_PRIME
    return u.to_bytes(32, "little")


def _decoded(key: bytes) -> _Point:
    number = int.from_bytes(key, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= FIELD_PRIME:
        raise _not_ed25519()
    # x^2 = (y^2 - 1) / (d * y^2 + 1)
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, FIELD_PRIME) % FIELD_PRIME
    x = pow(x_squared, (FIELD_PRIME + 3) // 8, FIELD_PRIME)
    if (x * x - x_squared) % FIELD_PRIME:
        x = x * _SQUARE_ROOT_OF_MINUS_1 % FIELD_PRIME
    if (x * x - x_squared) % FIELD_PRIME or (x == 0 and sign):
        raise _not_ed25519()
    if x & 1 != sign:
        x = FIELD_PRIME - x
    return (x, y, 1, x * y % FIELD_PRIME)


def _sum(first: _Point, second: _Point) -> _Point:
    """Add two points: RFC 8032 section 5.1.4, complete, so that it doubles as well."""
    a = (first[1] - first[0]) * (second[1] - second[0])
    b = (first[1] + first[0]) * (second[1] + second[0])
    c = 2 * first[3] * second[3] * _D
    d = 2 * first[2] * second[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return (
        e * f % FIELD_PRIME,
        g * h % FIELD_PRIME,
        f * g % FIELD_PRIME,
        e * h % FIELD_PRIME,
    )


def _multiple(factor: int, point: _Point) -> _Point:
    total = _IDENTITY
    while factor:
        if factor & 1:
            total = _sum(total, point)
        point = _sum(point, point)
        factor >>= 1
    return total


def _is_identity(point: _Point) -> bool:
    return point[0] == 0 and point[1] == point[2]


def _not_ed25519() -> KeyInvalid:
    return KeyInvalid(
        "expected an Ed25519 public key as a tool writes it, got 32 bytes that are "
        "no point of its group: the key was changed on its way, copy it again"
    )
