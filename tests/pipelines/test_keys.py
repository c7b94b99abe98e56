"""Keys by command, as an operator makes and revokes them."""

from pathlib import Path

import pytest


def key_of(out: str) -> str:
    (key,) = out.split()
    return key


def test_a_key_is_shown_once_and_stored_as_a_hash(run, tmp_path: Path):
    made = run("keys", "create", "nightly", "--user", "ada", "--scope", "figures", "--scope", "check")
    key = key_of(made.out)
    assert key.startswith("cdk_")
    assert "for user ada may check, figures, until" in " ".join(made.err.split())
    listed = run("keys", "list").out
    assert ("nightly" in listed, "check figures" in listed, "good" in listed, key in listed) == (
        True,
        True,
        True,
        False,
    )
    stored = b"".join(file.read_bytes() for file in (tmp_path / "home").glob("copydesk.db*"))
    assert key.split("_", 2)[2].encode() not in stored


def test_a_revoked_key_says_so_and_is_noted(run):
    made = run("keys", "create", "nightly", "--role", "admin", "--days", "0")
    key_id = key_of(made.out).split("_")[1]
    revoked = run("keys", "revoke", key_id)
    assert (revoked.code, f"Key {key_id} (nightly) is revoked." in revoked.out) == (0, True)
    assert "sessions begun with it go on for up to 15 minutes" in " ".join(revoked.out.split())
    listed = run("keys", "list").out
    assert ("revoked" in listed, "never" in listed) == (True, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("revoke", "nowhere"), "there is no key 'nowhere': `copydesk keys list` shows those there are"),
        (("create", "x", "--role", "editor", "--scope", "check"), "--scope and --role exclude each other"),
        (("create", "x", "--scope", "everything"), "'everything' is not one of"),
    ],
)
def test_what_makes_no_sense_is_named_and_2(run, arguments: tuple[str, ...], says: str):
    result = run("keys", *arguments)
    assert (result.code, says in " ".join(result.err.split())) == (2, True)


def test_without_keys_it_says_how_to_make_one(run):
    assert "copydesk keys create NAME" in run("keys", "list").out
