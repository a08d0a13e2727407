"""Passwords, kept as scrypt digests.

Both functions take a tenth of a second of CPU on purpose: call them in a ``def`` view, which
has a worker thread of its own, or through ``anyio.to_thread.run_sync``.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

#: OWASP's second choice of parameters: 16 MiB of memory, five passes.
COST, BLOCK, PASSES = 2**14, 8, 5
MEMORY = 64 * 1024 * 1024


def _digest(password: str, salt: bytes, cost: int, block: int, passes: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=cost, r=block, p=passes, maxmem=MEMORY, dklen=32
    )


def hash_password(password: str) -> str:
    """Return what to store: the parameters, a new salt and the digest.

    >>> hash_password("correct horse").startswith("scrypt:16384:8:5$")
    True
    """
    salt = secrets.token_bytes(16)
    digest = _digest(password, salt, COST, BLOCK, PASSES)
    return f"scrypt:{COST}:{BLOCK}:{PASSES}${salt.hex()}${digest.hex()}"


def check_password(stored: str, password: str) -> bool:
    """Compare a password with what :func:`hash_password` returned, in constant time."""
    method, salt, digest = stored.split("$")
    cost, block, passes = map(int, method.split(":")[1:])
    found = _digest(password, bytes.fromhex(salt), cost, block, passes)
    return hmac.compare_digest(found, bytes.fromhex(digest))


#: Compared with when there is no such user, so that the answer takes as long. No password has it.
NOBODY = f"scrypt:{COST}:{BLOCK}:{PASSES}${bytes(16).hex()}${bytes(32).hex()}"
