"""Articles as blobs named by the hash of their content, in one container of Azure Blob Storage."""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.storage.blob.aio import BlobServiceClient, ContainerClient, ExponentialRetry

from agent.errors import CopydeskError
from agent.formats.reading import must_fit
from serving.errors import BlobStoreUnavailable, BlobStoreUnusable

ARTICLES = "articles"
CONNECT_SECONDS = 2
READ_SECONDS = 4
LONGEST_SECONDS = 10.0  # of one call with its retries
RETRIES = 2
FIRST_GET_BYTES = 4 * 1024 * 1024  # an article has some kilobytes; of a huge file no more is read than its size
SECOND = timedelta(seconds=1)  # Azure drops the fractions when it says when a blob was put
ROLE = "Storage Blob Data Contributor"
_ACCOUNT_URL = re.compile(r"https://[^/?#\s@]+(/[a-z0-9]+)?/?")

logger = logging.getLogger(__name__)


class AzureBlobs:
    """Equal bytes are stored once. `refused`: what to do when the store refuses us."""

    def __init__(self, container: ContainerClient, refused: str) -> None:
        self._container = container
        self._refused = refused

    async def prepare(self) -> None:
        """Makes the container where it is missing; raises BlobStoreUnusable where the store refuses us."""
        try:
            async with self._answering():
                await self._list_or_make()
        except BlobStoreUnavailable as error:
            logger.warning("%s; no article is accepted until then", error)

    async def put(self, data: bytes) -> str:
        key = hashlib.sha256(data).hexdigest()
        async with self._answering():
            try:
                await self._upload(key, data)
            except ResourceNotFoundError:  # the store was away when this process began
                await self._make()
                await self._upload(key, data)
        return key

    async def get(self, key: str) -> bytes | None:
        async with self._answering():
            try:
                return await (await self._container.download_blob(key)).readall()
            except ResourceNotFoundError:
                return None

    async def incoming(self, name: str) -> bytes | None:
        async with self._answering():
            try:
                found = await self._container.download_blob(name)
                must_fit(name, found.size)
                return await found.readall()
            except ResourceNotFoundError:
                return None

    async def older_than(self, moment: datetime) -> AsyncIterator[str]:
        pages = self._container.list_blobs().by_page()
        while True:
            async with self._answering():
                page = await anext(pages, None)
                if page is None:
                    return
                old = [blob.name async for blob in page if blob.last_modified < moment - SECOND]
            for name in old:
                yield name

    async def delete(self, key: str, *, put_before: datetime) -> bool:
        async with self._answering():
            try:
                # The store compares and deletes in one step, so what is put meanwhile stays.
                await self._container.delete_blob(
                    key, delete_snapshots="include", if_unmodified_since=put_before - SECOND
                )
            except (ResourceNotFoundError, ResourceModifiedError):
                return False
        return True

    async def _upload(self, key: str, data: bytes) -> None:
        # Over an equal blob, too: that makes it young again in the same request. Asking first whether it is there
        # would leave a moment in which it is deleted for its age. In one piece, as the client sends up to 64 MB: blocks
        # of equal blobs that are put at once spoil each other.
        await self._container.upload_blob(key, data, overwrite=True)

    async def _list_or_make(self) -> None:
        try:
            async for _ in self._container.list_blobs(results_per_page=1):
                return
        except ResourceNotFoundError:
            await self._make()

    async def _make(self) -> None:
        name = self._container.container_name
        try:
            await self._container.create_container()
        except ResourceExistsError:  # by another process
            return
        except HttpResponseError as error:
            if error.status_code != 403:
                raise
            raise BlobStoreUnusable(
                f"the blob store has no container {name!r} and doesn't let us make it: "
                f"make it (az storage container create --name {name}), or {self._refused}"
            ) from error
        logger.info("the container %r was made in the blob store", name)

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        """Raises BlobStoreUnavailable and BlobStoreUnusable."""
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                yield
        except TimeoutError as error:
            raise self._unavailable(f"nothing within {LONGEST_SECONDS:.0f} s") from error
        except AzureError as error:
            raise self._failure(error) from error

    def _failure(self, error: AzureError) -> CopydeskError:
        status = getattr(error, "status_code", None)
        # Azure's own text has several lines, and may have what was sent.
        code = getattr(error, "error_code", None)
        said = getattr(code, "value", code) or (f"status {status}" if status else type(error).__name__)
        if isinstance(error, ServiceRequestError):
            said = "no connection"
        if isinstance(error, ClientAuthenticationError) or status in (401, 403):
            return BlobStoreUnusable(f"the blob store at {self._host} refuses us ({said}): {self._refused}")
        return self._unavailable(said)

    def _unavailable(self, said: str) -> BlobStoreUnavailable:
        return BlobStoreUnavailable(f"the blob store at {self._host} can't be used ({said}): try again in a moment")

    @property
    def _host(self) -> str:
        return str(self._container.primary_hostname)


@asynccontextmanager
async def open_azure_blobs(connection_string: str, account_url: str) -> AsyncIterator[AzureBlobs]:
    """By one of both; raises BlobStoreUnusable."""
    async with AsyncExitStack() as opened:
        if connection_string:
            client = _by_connection_string(connection_string)
            refused = "see in BLOB_CONNECTION_STRING whether its key or SAS is right and still good, and may read, "
            refused += "write, delete and list; and whether a firewall of the account keeps this machine out"
        else:
            client = await _by_identity(account_url, opened)
            refused = f"give this machine's identity the role {ROLE!r} on the account of COPYDESK_BLOB_ACCOUNT_URL "
            refused += "(AZURE_CLIENT_ID names one of several), and see whether a firewall of it keeps this machine out"
        await opened.enter_async_context(client)
        blobs = AzureBlobs(client.get_container_client(ARTICLES), refused)
        await blobs.prepare()
        yield blobs


def _by_connection_string(text: str) -> BlobServiceClient:
    try:
        client = BlobServiceClient.from_connection_string(text, **_options())
    except (ValueError, KeyError):
        client = None
    # The text must not be quoted, nor what the parser says of it: both may hold the key.
    if client is None or not (client.credential or "sig=" in client.url):
        raise BlobStoreUnusable(
            "BLOB_CONNECTION_STRING is not the connection string of a storage account: write "
            "DefaultEndpointsProtocol=https;AccountName=NAME;AccountKey=KEY;EndpointSuffix=core.windows.net as the "
            "portal shows it, or unset it and name the account in COPYDESK_BLOB_ACCOUNT_URL to use a managed identity"
        )
    return client


async def _by_identity(account_url: str, opened: AsyncExitStack) -> BlobServiceClient:
    if not _ACCOUNT_URL.fullmatch(account_url):
        raise BlobStoreUnusable(
            "COPYDESK_BLOB_ACCOUNT_URL is not the address of a storage account: write "
            "https://NAME.blob.core.windows.net, without a container or a SAS"
        )
    try:
        from azure.identity.aio import DefaultAzureCredential
    except ImportError as error:
        raise BlobStoreUnusable(
            "COPYDESK_BLOB_ACCOUNT_URL is set and the package azure-identity is missing: pip install copydesk[azure]"
        ) from error
    credential = await opened.enter_async_context(DefaultAzureCredential())
    return BlobServiceClient(account_url, credential=credential, **_options())


def _options() -> dict[str, Any]:
    # The client's own: 15 s before its first retry, 60 s for an answer.
    retry = ExponentialRetry(initial_backoff=0.2, increment_base=1, random_jitter_range=0.1, retry_total=RETRIES)  # type: ignore[arg-type]
    return {
        "retry_policy": retry,
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "max_single_get_size": FIRST_GET_BYTES,
    }
