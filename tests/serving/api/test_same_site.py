import httpx
import pytest

from serving.settings import ServingSettings
from tests.serving.conftest import api_client

ARTICLE = {"article": {"text": "The council met."}}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8400", "[::1]:8400", "LOCALHOST:80"])
async def test_the_service_answers_by_its_own_names(client: httpx.AsyncClient, host: str):
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8400", "localhost.evil.example", "", "[::2]:8400"])
async def test_a_foreign_name_for_this_machine_is_refused(client: httpx.AsyncClient, host: str):
    answer = await client.get("/api/v1/guidelines", headers={"Host": host})
    assert (answer.status_code, answer.json()["type"]) == (403, "foreign-host")
    assert "COPYDESK_ALLOWED_HOSTS" in answer.json()["detail"]


async def test_a_proxys_name_can_be_allowed(settings: ServingSettings):
    allowing = settings.model_copy(update={"allowed_hosts": ("copydesk.house.example",)})
    async with api_client(allowing) as client:
        assert (await client.get("/healthz", headers={"Host": "copydesk.house.example"})).status_code == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 202), ("none", 202)]
)
async def test_another_sites_page_submits_nothing(client: httpx.AsyncClient, site: str, status: int):
    answer = await client.post("/api/v1/compliance/check", json=ARTICLE, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("origin", "status"), [("http://localhost:8400", 202), ("http://evil.example", 403), ("null", 403)]
)
async def test_an_older_browser_tells_by_its_origin(client: httpx.AsyncClient, origin: str, status: int):
    answer = await client.post("/api/v1/compliance/check", json=ARTICLE, headers={"Origin": origin})
    assert answer.status_code == status


async def test_reading_from_a_link_on_another_site_is_fine(client: httpx.AsyncClient):
    assert (await client.get("/", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200
