"""Wrong settings of the blob store say what to do, and never what they hold."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas

from serving.adapters.blob_stores import open_blobs
from serving.errors import BlobStoreUnusable
from serving.settings import ServingSettings
from tests.azurite_server import ACCOUNT, KEY, Azurite, azurite_server, connection_string

SECRET = "c2VjcmV0LWtleQ=="
SAS = "SharedAccessSignature=sv=2024-01-01&sig=c2VjcmV0LWtleQ%3D%3D"
IMPORTED = """
import asyncio, json, sys
from serving.app import create_app
from serving.adapters.blob_stores import open_blobs
from serving.settings import ServingSettings
async def opened():
    async with open_blobs(ServingSettings(blob_connection_string="")):
        print(json.dumps([name for name in sys.modules if name.startswith(("azure", "aiohttp"))]))
asyncio.run(opened())
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    with azurite_server(tmp_path_factory.mktemp("azurite")) as server:
        yield server


async def refusal(*, connection: str = "", account: str = "") -> str:
    settings = ServingSettings(blob_connection_string=connection, blob_account_url=account)
    with pytest.raises(BlobStoreUnusable) as raised:
        async with open_blobs(settings):
            pass
    return str(raised.value)


def test_a_process_without_azure_does_not_import_it() -> None:
    assert json.loads(subprocess.check_output([sys.executable, "-c", IMPORTED])) == []


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        " ",
        f"AccountKey={SECRET}",
        f"AccountName=;{SECRET}",
        "AccountName=house",
        "BlobEndpoint=https://house.blob.core.windows.net",
    ],
)
async def test_what_is_no_connection_string_is_told_without_quoting_it(text: str) -> None:
    said = await refusal(connection=text)
    assert said.startswith("BLOB_CONNECTION_STRING is not the connection string of a storage account: write Default")
    assert SECRET not in said


@pytest.mark.parametrize("key", [SECRET, "not base64", KEY[4:]])
async def test_a_wrong_key_is_told_at_the_start(server: Azurite, key: str) -> None:
    said = await refusal(connection=connection_string(server.url, key))
    assert f"the blob store at 127.0.0.1:{server.port}/{ACCOUNT} refuses us (" in said
    assert "see in BLOB_CONNECTION_STRING whether its key or SAS is right" in said
    assert key not in said


async def test_a_wrong_sas_is_told_at_the_start(server: Azurite) -> None:
    said = await refusal(connection=f"BlobEndpoint={server.url};{SAS}")
    assert "refuses us (" in said
    assert "sig=" not in said


async def test_a_container_that_may_not_be_made_is_named(server: Azurite) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    may = AccountSasPermissions(read=True, list=True)
    kinds = ResourceTypes(container=True, object=True)
    sas = generate_account_sas(ACCOUNT, KEY, kinds, may, until)
    said = await refusal(connection=f"BlobEndpoint={server.url};SharedAccessSignature={sas}")
    assert "has no container 'articles' and doesn't let us make it: make it (az storage container create" in said
    assert sas not in said


@pytest.mark.parametrize(
    "url",
    [
        "house",
        "http://house.blob.core.windows.net",
        "https://house.blob.core.windows.net/articles/inbox",
        "https://house.blob.core.windows.net?sv=2024&sig=c2VjcmV0",
        "https://user:c2VjcmV0@house.blob.core.windows.net",
    ],
)
async def test_what_is_no_address_of_an_account_is_told(url: str) -> None:
    said = await refusal(account=url)
    assert said.startswith("COPYDESK_BLOB_ACCOUNT_URL is not the address of a storage account: write https://NAME")
    assert "c2VjcmV0" not in said


async def test_two_stores_at_once_are_refused() -> None:
    said = await refusal(connection="a", account="b")
    assert said.startswith("BLOB_CONNECTION_STRING and COPYDESK_BLOB_ACCOUNT_URL are both set")
