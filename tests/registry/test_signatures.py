import json
import stat
from pathlib import Path

import pytest
from pydantic import BaseModel

from registry.errors import NotTrusted, UnusableKey
from registry.signatures import (
    Signed,
    TrustedKeys,
    canonical,
    new_signing_key,
    public_keys,
    read_signing_key,
    signed_of,
    write_signing_key,
)

KEY = new_signing_key()
TRUSTED = TrustedKeys.of(KEY.public("Ada"))


class Note(BaseModel):
    text: str
    number: int = 1


class OtherNote(BaseModel):
    word: str


def test_what_was_signed_is_read_back() -> None:
    signed = KEY.sign(Note(text="Zoë"))
    again = signed_of(signed.model_dump_json(), "a note")
    assert TRUSTED.read(again, Note, "a note") == Note(text="Zoë")
    assert (again.id, len(again.digest)) == (signed.digest[:16], 64)
    assert TRUSTED.name_of(signed.key) == f"Ada ({KEY.public().id})"


def test_every_changed_byte_of_the_value_is_noticed() -> None:
    signed = KEY.sign(Note(text="fine", number=12))
    text = json.dumps(signed.body)
    for place in range(len(text)):
        changed = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
        try:
            body = json.loads(changed)
        except json.JSONDecodeError:
            continue
        with pytest.raises(NotTrusted, match="somebody changed it"):
            TRUSTED.read(Signed(body=body, key=signed.key, signature=signed.signature), Note, "a note")


@pytest.mark.parametrize("byte", ["A", "B", "!", "é", "\x00"])
def test_every_changed_byte_of_the_signature_is_noticed(byte: str) -> None:
    signed = KEY.sign(Note(text="fine"))
    for place, was in enumerate(signed.signature.rstrip("=")[:-1]):  # the last one has bits that mean nothing
        changed = signed.signature[:place] + byte + signed.signature[place + 1 :]
        if was != byte:
            with pytest.raises(NotTrusted, match="somebody changed it"):
                TRUSTED.read(signed.model_copy(update={"signature": changed}), Note, "a note")


def test_the_order_of_names_and_spaces_mean_nothing() -> None:
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1}) == '{"a":"ü","b":1}'.encode()


def test_a_strangers_signature_counts_for_nothing() -> None:
    signed = new_signing_key().sign(Note(text="fine"))
    with pytest.raises(NotTrusted, match=f"key {signed.key}, which is not trusted here.*COPYDESK_TRUSTED_KEYS"):
        TRUSTED.read(signed, Note, "a note")


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64!", "é" * 88])
def test_what_is_no_signature_is_refused(signature: str) -> None:
    with pytest.raises(NotTrusted, match="is not what key"):
        TRUSTED.read(KEY.sign(Note(text="fine")).model_copy(update={"signature": signature}), Note, "a note")


def test_a_record_is_never_read_as_one_of_another_kind() -> None:
    with pytest.raises(NotTrusted, match="of another kind"):
        TRUSTED.read(KEY.sign(Note(text="fine")), OtherNote, "a note")
    with pytest.raises(NotTrusted, match="carries no signature"):
        signed_of('{"text": "fine"}', "a note")


def test_a_key_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "mine.pem"
    write_signing_key(KEY, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_signing_key(path).public() == KEY.public()
    with pytest.raises(FileExistsError):
        write_signing_key(new_signing_key(), path)


def test_public_keys_come_as_lines_or_a_list() -> None:
    ada, bob = new_signing_key().public("Ada L."), new_signing_key().public()
    assert public_keys(f"# who may promote\n{ada.line}\n\n{bob.line}\n") == (ada, bob)
    assert public_keys(f"{ada.line}, {bob.line}") == (ada, bob)


@pytest.mark.parametrize("line", ["ed25519:AAAA", "ssh-ed25519 AAAA", "ed25519:%%", "ed25519:é"])
def test_what_is_no_public_key_is_named(line: str) -> None:
    with pytest.raises(UnusableKey, match=f"'{line}' is no public key"):
        public_keys(line)


@pytest.mark.parametrize("content", [None, "", "-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_private_key_is_named(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UnusableKey, match="copydesk signing new --out FILE"):
        read_signing_key(path)
