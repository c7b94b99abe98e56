"""Ed25519 signatures over canonical JSON (RFC 8032): whoever decides holds a private key, workers only public ones."""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from registry.errors import NotTrusted, UnusableKey

ALGORITHM = "ed25519:"
KEY_ID_CHARACTERS = 16
ID_CHARACTERS = 16
_RAW_BYTES = 32

Value = TypeVar("Value", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that signatures are held against."""

    raw: bytes  # 32
    name: str = ""  # whose it is

    @property
    def id(self) -> str:
        """The first bytes of its SHA-256, as signatures name it."""
        return hashlib.sha256(self.raw).hexdigest()[:KEY_ID_CHARACTERS]

    @property
    def line(self) -> str:
        """As COPYDESK_TRUSTED_KEYS takes it: `ed25519:BASE64 name`."""
        return f"{ALGORITHM}{base64.b64encode(self.raw).decode()} {self.name}".strip()


class SigningKey:
    """A private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def public(self, name: str = "") -> PublicKey:
        return PublicKey(self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), name)

    def sign(self, value: BaseModel) -> "Signed":
        body = value.model_dump(mode="json")
        signature = base64.b64encode(self._key.sign(canonical(body))).decode()
        return Signed(body=body, key=self.public().id, signature=signature)

    def pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Signed(BaseModel):
    """A value as JSON, with the signature of its canonical form."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body: dict[str, JsonValue]
    key: str  # id of the key that signed
    signature: str  # Base64

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical body; other records name this one by it."""
        return hashlib.sha256(canonical(self.body)).hexdigest()

    @property
    def id(self) -> str:
        return self.digest[:ID_CHARACTERS]


@dataclass(frozen=True)
class TrustedKeys:
    """The keys whose signatures count, by id."""

    keys: Mapping[str, PublicKey]

    @classmethod
    def of(cls, *keys: PublicKey) -> "TrustedKeys":
        return cls({key.id: key for key in keys})

    def name_of(self, key_id: str) -> str:
        """How a person reads a signer: `ada (1f0c...)`, or the id alone."""
        key = self.keys.get(key_id)
        return f"{key.name} ({key_id})" if key and key.name else key_id

    def read(self, signed: Signed, kind: type[Value], what: str) -> Value:
        """The signed value; raises NotTrusted with `what` it is in the message."""
        key = self.keys.get(signed.key)
        if key is None:
            raise NotTrusted(
                f"{what} is signed with key {signed.key}, which is not trusted here: if whoever holds it may promote, "
                "add the public key to COPYDESK_TRUSTED_KEYS"
            )
        try:
            public = Ed25519PublicKey.from_public_bytes(key.raw)
            public.verify(base64.b64decode(signed.signature, validate=True), canonical(signed.body))
            return kind.model_validate(signed.body)
        except ValidationError as error:
            raise NotTrusted(f"{what} is of another kind or release: {error.errors()[0]['msg']}") from error
        except (InvalidSignature, ValueError) as error:  # the latter for what is no Base64, nor even ASCII
            raise NotTrusted(
                f"{what} is not what key {signed.key} signed: somebody changed it, so decide anew"
            ) from error


def canonical(body: Mapping[str, JsonValue]) -> bytes:
    """JSON with sorted names and nothing between its parts, UTF-8: equal values are equal bytes."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed_of(text: str, what: str) -> Signed:
    """A signed record from its stored text; raises NotTrusted for what never was one."""
    try:
        return Signed.model_validate_json(text)
    except ValidationError as error:
        raise NotTrusted(f"{what} carries no signature: it was made by hand or by an earlier release") from error


def new_signing_key() -> SigningKey:
    return SigningKey(Ed25519PrivateKey.generate())


def write_signing_key(key: SigningKey, path: Path) -> None:
    """Writes a file that only its owner reads; raises FileExistsError rather than to lose a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.pem())


def read_signing_key(path: Path) -> SigningKey:
    """Raises UnusableKey."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKey(
            f"no signing key can be read from {str(path)!r} ({error}): make one with `copydesk signing new --out FILE`"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UnusableKey(
            f"{str(path)!r} holds another kind of key than Ed25519: make one with `copydesk signing new --out FILE`"
        )
    return SigningKey(key)


def public_keys(text: str) -> tuple[PublicKey, ...]:
    """Keys from lines, or separated by commas, each `ed25519:BASE64 name`; raises UnusableKey."""
    lines = [line.strip() for line in text.replace(",", "\n").splitlines()]
    return tuple(_public_key(line) for line in lines if line and not line.startswith("#"))


def _public_key(line: str) -> PublicKey:
    encoded, _, name = line.partition(" ")
    try:
        raw = base64.b64decode(encoded.removeprefix(ALGORITHM), validate=True)
    except ValueError:
        raw = b""
    if not encoded.startswith(ALGORITHM) or len(raw) != _RAW_BYTES:
        raise UnusableKey(
            f"{line[:60]!r} is no public key: it reads `ed25519:BASE64 name`, as `copydesk signing new` prints it"
        )
    return PublicKey(raw, name.strip())
