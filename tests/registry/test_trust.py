from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from registry.errors import NoSigningKey, NoTrustedKeys, UnusableKey
from registry.settings import RegistrySettings
from registry.trust import signing_key, trusted_keys
from tests.signing import key_file

ELSEWHERE = "http://mlflow.example"


def test_a_laptop_makes_one_key_and_trusts_it(tmp_path: Path) -> None:
    settings = RegistrySettings(home=tmp_path)
    with ThreadPoolExecutor(4) as threads:
        made = {key.public().id for key in threads.map(lambda _: signing_key(settings), range(8))}
    assert made == set(trusted_keys(settings).keys)
    assert [path.name for path in tmp_path.iterdir()] == ["signing-key.pem"]


def test_a_registry_elsewhere_needs_keys(tmp_path: Path) -> None:
    settings = RegistrySettings(home=tmp_path, mlflow_tracking_uri=ELSEWHERE)
    with pytest.raises(NoSigningKey, match="set COPYDESK_SIGNING_KEY"):
        signing_key(settings)
    with pytest.raises(NoTrustedKeys, match="set COPYDESK_TRUSTED_KEYS"):
        trusted_keys(settings)
    assert list(tmp_path.iterdir()) == []


def test_trusted_keys_come_from_a_file_or_the_setting_itself(tmp_path: Path) -> None:
    public = key_file(tmp_path / "key.pem", "Ada")
    (tmp_path / "trusted").write_text(f"{public.line}\n")
    for given in (str(tmp_path / "trusted"), public.line):
        settings = RegistrySettings(home=tmp_path, mlflow_tracking_uri=ELSEWHERE, trusted_keys=given)
        assert trusted_keys(settings).keys == {public.id: public}


def test_whoever_has_a_signing_key_trusts_it(tmp_path: Path) -> None:
    public = key_file(tmp_path / "key.pem")
    settings = RegistrySettings(home=tmp_path, mlflow_tracking_uri=ELSEWHERE, signing_key=str(tmp_path / "key.pem"))
    assert signing_key(settings).public() == public
    assert list(trusted_keys(settings).keys) == [public.id]


def test_a_key_that_nobody_trusts_signs_nothing(tmp_path: Path) -> None:
    mine, theirs = key_file(tmp_path / "mine.pem"), key_file(tmp_path / "theirs.pem")
    settings = RegistrySettings(home=tmp_path, signing_key=str(tmp_path / "mine.pem"), trusted_keys=theirs.line)
    with pytest.raises(NoSigningKey, match=f"what key {mine.id} signs would be refused"):
        signing_key(settings)


@pytest.mark.parametrize(("given", "error"), [("nowhere.txt", UnusableKey), ("ed25519:AAAA", UnusableKey)])
def test_what_can_not_be_trusted_is_named(tmp_path: Path, given: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=given):
        trusted_keys(RegistrySettings(home=tmp_path, trusted_keys=given))


def test_an_empty_file_of_keys_is_said(tmp_path: Path) -> None:
    (tmp_path / "trusted").write_text("# nobody\n")
    with pytest.raises(NoTrustedKeys, match="names no key"):
        trusted_keys(RegistrySettings(home=tmp_path, trusted_keys=str(tmp_path / "trusted")))
