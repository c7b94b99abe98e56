"""One suite over the stores of articles: a folder, and Azure Blob Storage as Azurite has it."""

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.blob.aio import BlobServiceClient

from agent.errors import ContentTooLarge
from agent.formats.reading import MAX_FILE_BYTES
from serving.adapters.blob_stores import open_blobs
from serving.adapters.folder_blobs import FolderBlobs
from serving.errors import BlobStoreUnavailable
from serving.ports.storage import BlobStore
from serving.settings import ServingSettings
from tests.azurite_server import ACCOUNT, Azurite, azurite_server

MINUTE = timedelta(minutes=1)
DETECTABLE_SECONDS = 2.5  # Azure keeps whole seconds
ABSENT = "0" * 64


@dataclass
class Place:
    """A store, and the way by which other programs put files into its inbox."""

    blobs: BlobStore
    drop: Callable[[str, bytes], Awaitable[object]]


@asynccontextmanager
async def folder_place(home: Path) -> AsyncIterator[Place]:
    async def drop(name: str, data: bytes) -> None:
        path = settings.articles / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    settings = ServingSettings(home=home, blob_connection_string="", blob_account_url="")
    async with open_blobs(settings) as blobs:
        yield Place(blobs, drop)


@asynccontextmanager
async def azure_place(connection: str) -> AsyncIterator[Place]:
    settings = ServingSettings(blob_connection_string=connection, blob_account_url="")
    async with (
        open_blobs(settings) as blobs,
        # aiohttp warns of more at one go.
        BlobServiceClient.from_connection_string(connection, max_single_put_size=2**20, max_block_size=2**20) as client,
        client.get_container_client("articles") as container,
    ):
        yield Place(blobs, container.upload_blob)


@pytest.fixture(params=["folder", "azure"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    opened = folder_place(tmp_path) if request.param == "folder" else azure_place(request.getfixturevalue("azurite"))
    async with opened as place:
        yield place


@pytest.fixture
def blobs(place: Place) -> BlobStore:
    return place.blobs


def unique(text: str = "Hitze 🌡") -> bytes:
    return f"{text} {uuid4().hex}".encode()


def now() -> datetime:
    return datetime.now(UTC)


async def older(blobs: BlobStore, moment: datetime) -> list[str]:
    return [key async for key in blobs.older_than(moment)]


async def test_bytes_come_back_by_the_hash_of_their_content(blobs: BlobStore) -> None:
    data = unique()
    key = await blobs.put(data)
    assert key == hashlib.sha256(data).hexdigest()
    assert await blobs.get(key) == data


async def test_what_is_not_there_is_none_and_cannot_be_deleted(blobs: BlobStore) -> None:
    assert await blobs.get(ABSENT) is None
    assert await blobs.incoming("inbox/absent.docx") is None
    assert await blobs.delete(ABSENT, put_before=now() + MINUTE) is False


async def test_equal_bytes_put_at_once_are_one_whole_blob(blobs: BlobStore) -> None:
    data = unique() * 20_000
    keys = await asyncio.gather(*(blobs.put(data) for _ in range(8)))
    assert len(set(keys)) == 1
    assert (await older(blobs, now() + MINUTE)).count(keys[0]) == 1
    assert await blobs.get(keys[0]) == data


async def test_what_is_old_is_listed_and_goes(blobs: BlobStore) -> None:
    key = await blobs.put(unique())
    assert key not in await older(blobs, now() - MINUTE)
    assert key in await older(blobs, now() + MINUTE)
    assert await blobs.delete(key, put_before=now() - MINUTE) is False
    assert await blobs.delete(key, put_before=now() + MINUTE) is True
    assert await blobs.get(key) is None


async def test_what_is_put_again_is_young_again_and_a_delete_on_its_way_finds_it_so(blobs: BlobStore) -> None:
    data = unique()
    key = await blobs.put(data)
    await asyncio.sleep(DETECTABLE_SECONDS)
    moment = now() - timedelta(seconds=0.1)  # a file's time is some milliseconds behind
    assert key in await older(blobs, moment)
    await blobs.put(data)
    assert await blobs.delete(key, put_before=moment) is False
    assert key not in await older(blobs, moment)
    assert await blobs.get(key) == data


@pytest.mark.parametrize("name", ["story.md", "2026/11/Größe & 50% #1?.docx", "a b/.hidden"])
async def test_a_file_of_the_inbox_is_read_by_its_name_and_goes_by_its_age(place: Place, name: str) -> None:
    name = f"inbox/{uuid4().hex}/{name}"
    await place.drop(name, b"Experts say so.")
    assert await place.blobs.incoming(name) == b"Experts say so."
    assert name in await older(place.blobs, now() + MINUTE)
    assert await place.blobs.delete(name, put_before=now() - MINUTE) is False
    assert await place.blobs.delete(name, put_before=now() + MINUTE) is True
    assert await place.blobs.incoming(name) is None


async def test_an_empty_file_is_empty_and_one_that_no_article_can_be_is_not_read(place: Place) -> None:
    folder = f"inbox/{uuid4().hex}"
    await place.drop(f"{folder}/empty.txt", b"")
    await place.drop(f"{folder}/huge.txt", b"x" * (MAX_FILE_BYTES + 1))
    assert await place.blobs.incoming(f"{folder}/empty.txt") == b""
    with pytest.raises(ContentTooLarge, match=r"huge.txt' has 10,000,001 bytes"):
        await place.blobs.incoming(f"{folder}/huge.txt")


async def test_a_folder_that_takes_nothing_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "articles").write_text("in the way of the folder")
    with pytest.raises(BlobStoreUnavailable, match="nothing was lost"):
        await FolderBlobs(tmp_path / "articles").put(b"an article")


async def test_a_link_in_the_folder_does_not_lead_out_of_the_inbox(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    async with folder_place(tmp_path) as place:
        await place.drop("inbox/real.txt", b"real")
        inbox = tmp_path / "articles" / "inbox"
        for name, target in (("out.txt", tmp_path / "secret.txt"), ("in.txt", inbox / "real.txt"), ("up", tmp_path)):
            (inbox / name).symlink_to(target)
        (inbox / "loop").symlink_to("loop")
        names = ("out.txt", "up/secret.txt", "loop", "in.txt")
        assert [await place.blobs.incoming(f"inbox/{name}") for name in names] == [None, None, None, b"real"]


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Azurite]:
    with azurite_server(tmp_path / "azurite") as server:
        yield server


async def failures(blobs: BlobStore, key: str) -> list[BaseException]:
    """Of all that can be asked."""
    asked = (
        blobs.put(b"other"),
        blobs.get(key),
        blobs.incoming("inbox/a"),
        blobs.delete(key, put_before=now()),
        older(blobs, now()),
    )
    results = await asyncio.gather(*asked, return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]


async def test_an_outage_is_told_within_seconds_and_ends_by_itself(own_server: Azurite) -> None:
    async with azure_place(own_server.connection_string) as place:
        key = await place.blobs.put(b"kept")
        own_server.stop()
        async with asyncio.timeout(60):  # 2 to 3 s where nothing else runs; without an end it would be minutes
            failed = await failures(place.blobs, key)
        assert [type(error) for error in failed] == [BlobStoreUnavailable] * 5
        assert f"at 127.0.0.1:{own_server.port}/{ACCOUNT} can't be used (no connection): try again" in str(failed[0])
        own_server.start()
        assert await place.blobs.get(key) == b"kept"
        await place.blobs.put(b"other")


@pytest.mark.slow
async def test_a_store_that_accepts_and_never_answers_is_given_up(own_server: Azurite) -> None:
    async with azure_place(own_server.connection_string) as place:
        key = await place.blobs.put(b"kept")
        assert own_server.process
        own_server.process.send_signal(signal.SIGSTOP)
        with pytest.raises(BlobStoreUnavailable, match="nothing within 10 s"):
            await place.blobs.get(key)
        own_server.process.send_signal(signal.SIGCONT)
        assert await place.blobs.get(key) == b"kept"


async def test_a_store_that_is_away_at_the_start_gets_its_container_with_the_first_article(
    own_server: Azurite, caplog: pytest.LogCaptureFixture
) -> None:
    own_server.stop()
    settings = ServingSettings(blob_connection_string=own_server.connection_string)
    async with open_blobs(settings) as blobs:
        assert "can't be used (no connection)" in caplog.text
        own_server.start()
        assert await blobs.get(await blobs.put(b"first")) == b"first"
