from pathlib import Path
from typing import Any

import pytest

from serving.access.settings import AccessSettings
from serving.settings import ServingSettings, UnsafeAddress, UnsafeSettings
from serving.worker import run


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_addresses_are_served(host: str) -> None:
    ServingSettings(host=host).must_be_safe(sign_in=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "copydesk.example", ""])
def test_any_other_address_is_refused_without_sign_in(host: str) -> None:
    ServingSettings(host=host).must_be_safe(sign_in=True)
    with pytest.raises(UnsafeAddress, match="nobody has to sign in: set JWT_SECRET_KEY"):
        ServingSettings(host=host).must_be_safe(sign_in=False)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 9100), ("localhost", 9100), ("0.0.0.0", 0)])
def test_a_worker_tells_its_metrics_to_this_machine_or_to_nobody_without_a_token(host: str, port: int) -> None:
    ServingSettings(host=host, worker_metrics_port=port).worker_must_be_safe(metrics_token=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5", "copydesk.example"])
def test_any_other_address_for_a_worker_s_metrics_needs_the_token(host: str) -> None:
    settings = ServingSettings(host=host, worker_metrics_port=9100)
    settings.worker_must_be_safe(metrics_token=True)
    with pytest.raises(UnsafeAddress, match="anybody could read this worker's metrics: set COPYDESK_METRICS_TOKEN, or"):
        settings.worker_must_be_safe(metrics_token=False)


def test_a_worker_does_not_start_with_metrics_for_everybody(tmp_path: Path) -> None:
    settings = ServingSettings(home=tmp_path, host="0.0.0.0", worker_metrics_port=9100)
    with pytest.raises(UnsafeAddress, match="COPYDESK_WORKER_METRICS_PORT"):
        run(settings, AccessSettings())
    assert not list(tmp_path.iterdir())


def test_the_environment_names_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"HOME": str(tmp_path), "PORT": "9000", "QUEUE_LIMIT": "5"}.items():
        monkeypatch.setenv(f"COPYDESK_{name}", value)
    monkeypatch.delenv("DB_CONNECTION_STRING", raising=False)
    settings = ServingSettings()
    assert (settings.home, settings.port, settings.queue_limit) == (tmp_path, 9000, 5)
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/copydesk.db"


def test_the_database_has_the_name_operators_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_CONNECTION_STRING", "sqlite:///elsewhere.db")
    assert ServingSettings().database_url == "sqlite:///elsewhere.db"


@pytest.mark.parametrize("name", ["REDIS_CONNECTION_STRING", "COPYDESK_REDIS_CONNECTION_STRING"])
def test_redis_has_the_name_operators_know(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv("REDIS_CONNECTION_STRING", raising=False)
    assert ServingSettings().redis_connection_string == ""
    monkeypatch.setenv(name, "redis://elsewhere")
    assert ServingSettings().redis_connection_string == "redis://elsewhere"


@pytest.mark.parametrize("name", ["DB_READ_CONNECTION_STRING", "COPYDESK_DB_READ_CONNECTION_STRING"])
def test_the_replica_has_the_name_operators_know(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DB_CONNECTION_STRING", "postgresql://primary/copydesk")
    monkeypatch.setenv(name, "postgresql://replica/copydesk")
    assert ServingSettings().db_read_connection_string == "postgresql://replica/copydesk"


SECRET = "whsec_" + "a" * 32


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"allowed_hosts": ("copydesk.example", "*")}, "name each host"),
        ({"allowed_hosts": ("*.example",)}, "name each host"),
        ({"lease_seconds": 0.5}, "COPYDESK_LEASE_SECONDS is 0.5: at least 1"),
        ({"db_read_connection_string": "postgresql://replica/x"}, "names no PostgreSQL"),
        ({"webhook_secret": "hunter2"}, "doesn't begin with whsec_: write whsec_ and"),
        ({"webhook_secret": f"{SECRET} whsec_c2hvcnQ="}, "it holds 5 bytes"),
        (
            {"registry_webhook_secret": f"{'s' * 32} hunter2"},
            "REGISTRY_WEBHOOK_SECRET holds a secret of 7 bytes",
        ),
        ({"callback_hosts": ("hooks.example.com",)}, "COPYDESK_WEBHOOK_SECRET is not"),
        ({"callback_hosts": ("https://hooks.example.com/x",), "webhook_secret": SECRET}, "is not a host or host:port"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UnsafeSettings, match=says) as refused:
        ServingSettings(**given)
    assert "hunter2" not in str(refused.value)
