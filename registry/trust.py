"""Whose signatures count here, and which key signs: from the settings, or on a laptop by a key of its own."""

import os
from pathlib import Path
from uuid import uuid4

from registry.errors import NoSigningKey, NoTrustedKeys, UnusableKey
from registry.settings import RegistrySettings
from registry.signatures import (
    ALGORITHM,
    PublicKey,
    SigningKey,
    TrustedKeys,
    new_signing_key,
    public_keys,
    read_signing_key,
    write_signing_key,
)

OWN_KEY_NAME = "this machine"


def signing_key(settings: RegistrySettings) -> SigningKey:
    """The key that whoever decides here signs with; raises NoSigningKey and UnusableKey.

    Without a tracking URI the registry is this machine's own, and its key is made on first need.
    """
    if settings.signing_key:
        key = read_signing_key(Path(settings.signing_key))
    elif settings.own:
        key = _own_key(settings)
    else:
        raise NoSigningKey(
            "a registry elsewhere takes only signed records: set COPYDESK_SIGNING_KEY to your private key "
            "(make one with `copydesk signing new --out FILE`, and have its public key trusted by the workers)"
        )
    if settings.trusted_keys and key.public().id not in trusted_keys(settings).keys:
        raise NoSigningKey(
            f"what key {key.public().id} signs would be refused, because it is not in COPYDESK_TRUSTED_KEYS: "
            f"add {key.public().line!r} there and for every worker, or set COPYDESK_SIGNING_KEY to a trusted one"
        )
    return key


def trusted_keys(settings: RegistrySettings) -> TrustedKeys:
    """The keys whose records are believed; raises NoTrustedKeys and UnusableKey.

    Where none are named it is the signing key's own public key.
    """
    if settings.trusted_keys:
        return _named(settings.trusted_keys)
    if settings.signing_key:
        return TrustedKeys.of(read_signing_key(Path(settings.signing_key)).public())
    if settings.own:
        return TrustedKeys.of(_own_key(settings).public(OWN_KEY_NAME))
    raise NoTrustedKeys(
        "nobody has said whose promotions count for a registry elsewhere: set COPYDESK_TRUSTED_KEYS to the public "
        "keys of those who may promote, or to a file of them (`copydesk signing new` prints them)"
    )


def _named(given: str) -> TrustedKeys:
    if not given.lstrip().startswith(ALGORITHM):
        try:
            given = Path(given).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableKey(
                f"COPYDESK_TRUSTED_KEYS is {given[:80]!r}, neither public keys nor a file of them: {error}"
            ) from error
    keys: tuple[PublicKey, ...] = public_keys(given)
    if not keys:
        raise NoTrustedKeys("COPYDESK_TRUSTED_KEYS names no key, so nobody could promote: add a public key")
    return TrustedKeys.of(*keys)


def _own_key(settings: RegistrySettings) -> SigningKey:
    """Made whole or not at all: a worker and a command may both need it first."""
    path = settings.home.resolve() / "signing-key.pem"
    if not path.exists():
        draft = path.with_name(f"{path.name}.{uuid4().hex}.new")
        write_signing_key(new_signing_key(), draft)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    return read_signing_key(path)
