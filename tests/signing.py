"""Key pairs for tests that promote."""

from pathlib import Path

from registry.signatures import PublicKey, new_signing_key, write_signing_key


def key_file(path: Path, name: str = "") -> PublicKey:
    """Writes a private key and returns its public one."""
    key = new_signing_key()
    write_signing_key(key, path)
    return key.public(name)
