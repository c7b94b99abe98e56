import asyncio
import hashlib
from pathlib import Path

from serving.adapters.folder_blobs import FolderBlobs


async def test_bytes_come_back_by_the_hash_of_their_content(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path / "articles")
    key = await blobs.put("Hitze 🌡".encode())
    assert key == hashlib.sha256("Hitze 🌡".encode()).hexdigest()
    assert await blobs.get(key) == "Hitze 🌡".encode()


async def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert await FolderBlobs(tmp_path).get("0" * 64) is None


def test_equal_bytes_put_at_once_are_one_whole_file(tmp_path: Path) -> None:
    data = b"x" * 1_000_000

    async def put_all() -> list[str]:
        blobs = FolderBlobs(tmp_path)
        return await asyncio.gather(*(blobs.put(data) for _ in range(8)))

    keys = asyncio.run(put_all())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [keys[0]]
    assert (set(keys), files[0].read_bytes()) == ({keys[0]}, data)
