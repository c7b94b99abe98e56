"""Reads those articles of a batch that are files of the inbox."""

import asyncio

from agent.article import Article
from agent.errors import CopydeskError
from serving.access.caller import Caller, Permission
from serving.api.batch_schemas import BatchIn
from serving.errors import BatchRefused
from serving.ports.storage import BlobStore
from serving.usecases.read_inbox import read_from_inbox

AT_ONCE = 8
MOST_CHARACTERS = 20_000_000  # of a batch together: what is named weighs nothing in the request, but in memory here
OUTAGE = 500  # failures with such a status or a higher one are not the file's


async def read_named(asked: BatchIn, caller: Caller, blobs: BlobStore) -> dict[int, Article | CopydeskError]:
    """By number in the manifest, from 1: the article, or why its file can't be checked.

    Raises NotAllowed, BlobStoreUnavailable, and BatchRefused when they are too long together.
    """
    named = [(n, item.article.blob) for n, item in enumerate(asked.articles, 1) if item.article.blob is not None]
    if named:
        caller.must(Permission.INBOX)
    found: dict[int, Article | CopydeskError] = {}
    room = MOST_CHARACTERS
    for start in range(0, len(named), AT_ONCE):
        part = named[start : start + AT_ONCE]
        read = await asyncio.gather(*(_read(asked, number, name, blobs) for number, name in part))
        found |= {number: article for (number, _), article in zip(part, read, strict=True)}
        room -= sum(len(article.text) for article in read if isinstance(article, Article))
        if room < 0:
            raise BatchRefused(
                f"the files of the batch have more than {MOST_CHARACTERS:,} characters together, "
                "so none was accepted: send them in several batches"
            )
    return found


async def _read(asked: BatchIn, number: int, name: str, blobs: BlobStore) -> Article | CopydeskError:
    item = asked.articles[number - 1]
    try:
        return await read_from_inbox(blobs, name=name, title=item.title, language=item.language or asked.language)
    except CopydeskError as error:
        if error.status >= OUTAGE:
            raise
        return error
