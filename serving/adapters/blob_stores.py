"""Where articles are stored: in Azure Blob Storage, or in a folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from serving.adapters.folder_blobs import FolderBlobs
from serving.errors import BlobStoreUnusable
from serving.ports.storage import BlobStore
from serving.settings import ServingSettings


@asynccontextmanager
async def open_blobs(settings: ServingSettings) -> AsyncIterator[BlobStore]:
    """Raises BlobStoreUnusable; a store that doesn't answer is logged, and may do so by the first article."""
    connection, account = settings.blob_connection_string, settings.blob_account_url
    if connection and account:
        raise BlobStoreUnusable(
            "BLOB_CONNECTION_STRING and COPYDESK_BLOB_ACCOUNT_URL are both set, and each names a blob store: "
            "unset one; the account's URL goes with a managed identity and needs no secret"
        )
    if not connection and not account:
        yield FolderBlobs(settings.articles)
        return
    # Imported where it is used: a process with a folder has no need of its memory, and it is an extra.
    try:
        from serving.adapters.azure_blobs import open_azure_blobs
    except ImportError as error:
        name = "BLOB_CONNECTION_STRING" if connection else "COPYDESK_BLOB_ACCOUNT_URL"
        raise BlobStoreUnusable(
            f"{name} is set and the package {error.name} is missing: "
            "pip install copydesk[azure], or unset it to store articles in a folder"
        ) from error
    async with open_azure_blobs(connection, account) as blobs:
        yield blobs
