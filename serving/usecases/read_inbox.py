"""Takes an article from the inbox, which other programs fill."""

import asyncio
from pathlib import PurePosixPath

from agent.article import Article
from agent.formats.reading import read_article
from serving.errors import BlobNotFound
from serving.ports.storage import BlobStore


async def read_from_inbox(blobs: BlobStore, *, name: str, title: str, language: str) -> Article:
    """Read by its extension, as an upload is.

    Raises BlobNotFound, BlobStoreUnavailable, and ArticleError for a file that can't be checked.
    """
    data = await blobs.incoming(name)
    if data is None:
        raise BlobNotFound(f"there is no file {name!r} in the blob store: put it there first, under this very name")
    return await asyncio.to_thread(read_article, data, PurePosixPath(name).name, title=title, language=language)
