"""Articles that wait for what is missing lose no attempt."""

import pytest

from registry.errors import CodeMismatch
from serving.adapters.folder_blobs import FolderBlobs
from serving.errors import BlobStoreUnavailable
from serving.settings import ServingSettings
from serving.shadow import Spent
from serving.shadowing import RELOAD
from tests.serving.shadowing.bench import Bench, Challenger, Later


class Away(FolderBlobs):
    """A blob store that may be away."""

    away = True

    async def get(self, key: str) -> bytes | None:
        if self.away:
            raise BlobStoreUnavailable("it is away")
        return await super().get(key)


async def test_an_article_waits_for_a_worker_that_can_load_the_version(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    there, clock = await bench.started(), Later()
    unable = Challenger(fault=CodeMismatch("version 2 is of other code"))
    shadowing = await bench.offered(unable, "a", "b", clock=clock)
    for _ in range(4):
        assert not await shadowing.next()
        clock.by += RELOAD
    assert await bench.shadows.counts(there) == {"waiting": 2}
    assert caplog.text.count("version 2 is of other code") == 1
    assert await bench.shadowing(Challenger()).next()
    unable.fault = None
    assert await shadowing.next()
    assert await bench.shadows.counts(there) == {"compared": 2}


async def test_an_outage_is_no_attempt(bench: Bench, settings: ServingSettings) -> None:
    there, bench.blobs = await bench.started(), (blobs := Away(settings.articles))
    shadowing = await bench.offered(Challenger())
    for _ in range(4):
        with pytest.raises(BlobStoreUnavailable):
            await shadowing.next()
    assert await bench.shadows.spent(there, there.started) == Spent(0, 0, 0.0)
    blobs.away = False
    assert await shadowing.next()
