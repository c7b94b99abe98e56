"""Bodies within the limit of bytes that are wrong a million times: refused in few words, and before they are a tree."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from agent.errors import ContentTooLarge
from serving.adapters.stores import Stores
from serving.api.batch_schemas import BatchIn
from serving.api.feedback_schemas import DecisionsIn
from serving.api.given import MOST_FIELDS
from serving.api.json_bodies import MOST_VALUES, JsonRoute, must_have_few_values
from serving.api.problems import MOST_DETAIL, shortened
from serving.api.schemas import MOST_PARAGRAPHS, CheckIn
from serving.api.sessions import SessionIn
from serving.app import V1
from serving.settings import ServingSettings

CHECK, BATCHES = "/api/v1/compliance/check", "/api/v1/compliance/batches"
FEEDBACK, SESSION = "/api/v1/jobs/any/feedback", "/api/v1/session"
GIVEN: dict[str, Any] = {CHECK: CheckIn, BATCHES: BatchIn, FEEDBACK: DecisionsIn, SESSION: SessionIn}
KILO, MEGA = 1_000, 1_000_000
PARAGRAPHS = '{"article": {"paragraphs": [', "]}}"
ARTICLES = '{"articles": [', "]}"
LIST = "[", "]"
OBJECT = "{", "}"
IN_ARTICLE = '{"article": {', "}}"
IN_PARAGRAPH = '{"article": {"paragraphs": [{', "}]}}"
GUIDELINES = '{"article": {"text": "a"}, "guidelines": [', "]}"
SCOPES = '{"scopes": [', "]}"

# Path, what is around, what is repeated (NUMBER differs each time), and to how many bytes.
NUMBER = "NUMBER"
UNKNOWN = '"NUMBER": 1'
FIELDS = ", ".join(f'"{number}": 1' for number in range(150))
WRONG = [
    (CHECK, PARAGRAPHS, "1", 80 * KILO),  # fewer than the most: all of them would be named
    (CHECK, PARAGRAPHS, "{}", 120 * KILO),
    (CHECK, PARAGRAPHS, '""', 700 * KILO),
    (CHECK, OBJECT, UNKNOWN, MEGA),
    (CHECK, IN_ARTICLE, UNKNOWN, MEGA),
    (CHECK, IN_PARAGRAPH, UNKNOWN, MEGA),
    (CHECK, GUIDELINES, "1", KILO),
    (CHECK, GUIDELINES, f'"{"x" * 900}"', MEGA),
    (BATCHES, ARTICLES, "1", KILO),
    (BATCHES, ARTICLES, '{"article": {}}', 10 * KILO),
    (BATCHES, ARTICLES, f'{{"article": {{"text": "a"}}, {FIELDS}}}', MEGA),
    (BATCHES, OBJECT, UNKNOWN, MEGA),
    (FEEDBACK, LIST, "1", KILO - 100),
    (FEEDBACK, OBJECT, UNKNOWN, MEGA),
    (SESSION, OBJECT, UNKNOWN, MEGA),
    (SESSION, SCOPES, "1", 400 * KILO),
]
OF_TOO_MANY_VALUES = [
    (CHECK, PARAGRAPHS, "1", 10 * MEGA),
    (CHECK, PARAGRAPHS, "[]", 10 * MEGA),
    (CHECK, PARAGRAPHS, '""', 10 * MEGA),
    (CHECK, OBJECT, UNKNOWN, 10 * MEGA),
    (BATCHES, ARTICLES, "1", 10 * MEGA),
    (BATCHES, ARTICLES, '{"article": {}}', 10 * MEGA),
    (BATCHES, OBJECT, UNKNOWN, 10 * MEGA),
    (FEEDBACK, LIST, "{}", 10 * MEGA),
    (SESSION, SCOPES, "1", 10 * MEGA),
]


def body(around: tuple[str, str], unit: str, size: int) -> bytes:
    each = (unit.replace(NUMBER, str(number)) for number in range(size // (len(unit) + 1)))
    return ",".join(each).join(around).encode()


@pytest.fixture
def settings(tmp_path: Path) -> ServingSettings:
    """One database: what is refused asks none."""
    return ServingSettings(home=tmp_path)


async def refusal(client: httpx.AsyncClient, path: str, content: bytes) -> dict[str, Any]:
    response = await client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert response.headers["Content-Type"] == "application/problem+json"
    assert len(response.content) < 4 * KILO
    problem: dict[str, Any] = response.json()
    return problem


@pytest.mark.parametrize(("path", "around", "unit", "size"), WRONG)
async def test_what_is_wrong_many_times_is_told_in_few_words(
    client: httpx.AsyncClient, path: str, around: tuple[str, str], unit: str, size: int
) -> None:
    content = body(around, unit, size)
    problem = await refusal(client, path, content)
    assert (problem["status"], problem["type"]) == (422, "invalid-request")
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(GIVEN[path]).validate_json(content)
    assert refused.value.error_count() <= MOST_FIELDS


@pytest.mark.parametrize(("path", "around", "unit", "size"), OF_TOO_MANY_VALUES)
async def test_a_body_of_too_many_values_is_not_parsed(
    client: httpx.AsyncClient, path: str, around: tuple[str, str], unit: str, size: int
) -> None:
    problem = await refusal(client, path, body(around, unit, size))
    assert (problem["status"], problem["type"]) == (413, "content-too-large")
    assert "more than 250,000 values" in problem["detail"]


@pytest.mark.parametrize("path", [CHECK, BATCHES, FEEDBACK, SESSION])
@pytest.mark.parametrize("name", ["x" * 10 * MEGA, "\\u0000" * MEGA, "\\ud800"])
async def test_the_name_of_a_field_is_not_quoted_at_length(client: httpx.AsyncClient, path: str, name: str) -> None:
    problem = await refusal(client, path, f'{{"{name}": 1}}'.encode())
    assert problem["status"] in (400, 422)


async def test_empty_paragraphs_are_an_empty_article(client: httpx.AsyncClient, stores: Stores) -> None:
    content = body(PARAGRAPHS, '""', 3 * MOST_PARAGRAPHS)
    assert (await refusal(client, CHECK, content))["type"] == "empty-article"
    batch = body(ARTICLES, body(PARAGRAPHS, '""', 600).decode(), 600 * KILO)
    assert (await refusal(client, BATCHES, batch))["type"] == "batch-refused"
    assert await stores.jobs.waiting() == 0


async def test_ten_mistakes_are_named_and_the_rest_counted(client: httpx.AsyncClient) -> None:
    problem = await refusal(client, CHECK, body(OBJECT, UNKNOWN, 13 * len(UNKNOWN)))
    assert problem["detail"].startswith("article: Field required; 0: Extra inputs are not permitted; 1: ")
    assert problem["detail"].endswith("; 8: Extra inputs are not permitted; and 2 more")


async def test_too_many_fields_are_told_by_their_number(client: httpx.AsyncClient) -> None:
    problem = await refusal(client, CHECK, body(IN_ARTICLE, UNKNOWN, MEGA))
    assert problem["detail"] == "article: it has 83,333 fields, and none has more than 20"


async def test_what_a_request_quotes_is_cut(client: httpx.AsyncClient) -> None:
    kind = {"Content-Type": "x" * 50 * KILO}
    asked = await client.post(CHECK, content=b"", headers=kind), await client.get(f"/api/v1/jobs/{'x' * 50_000}/status")
    assert [response.status_code for response in asked] == [400, 404]
    assert max(len(response.content) for response in asked) < MOST_DETAIL + 500
    assert asked[0].json()["detail"].endswith("send application/json, or a file as multipart/form-data")


@pytest.mark.parametrize(
    ("files", "data"),
    [({"x" * 500 * KILO: b""}, {}), ({"file": ("a.txt", b"We.")}, {"x" * 500 * KILO: "a", "title": "x" * 900 * KILO})],
)
async def test_a_form_is_refused_in_few_words(
    client: httpx.AsyncClient, files: dict[str, Any], data: dict[str, str]
) -> None:
    response = await client.post(CHECK, files=files, data=data)
    assert (response.status_code in (400, 422), len(response.content) < 4 * KILO) == (True, True)


async def test_guidelines_of_a_form_are_as_few_as_those_of_json(client: httpx.AsyncClient) -> None:
    response = await client.post(CHECK, files={"file": ("a.txt", b"We.")}, data={"guidelines": "a," * 400_000})
    assert (response.status_code, len(response.content) < KILO) == (422, True)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("path", [CHECK, BATCHES, FEEDBACK])
async def test_json_is_in_utf_8(client: httpx.AsyncClient, path: str, encoding: str) -> None:
    """In others the values could hide: U+0122 holds the byte of a quotation mark."""
    content = ('{"name": "\u0122", "articles": [' + "1," * 2 * MOST_VALUES + "1]}").encode(encoding)
    response = await client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["type"]) == (400, "bad-request")
    assert "UTF-8" in response.json()["detail"]


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        (b"[" + b"1," * (MOST_VALUES - 2) + b"1]", True),
        (b"[" + b"1," * (MOST_VALUES - 2) + b'",,", 1]', True),
        (b"[" + b"1," * MOST_VALUES + b"1]", False),
        (b'["' + b", [ { " * MOST_VALUES + b'"]', True),
        (b'["' + b'\\", ' * MOST_VALUES + b'"]', True),
        (b'["\\\\",' + b"1," * MOST_VALUES + b"1]", False),
        (b'["' + b"," * 2 * MOST_VALUES, True),  # a string without end: the parser will say so
        (b'["a",' + b'""' * MOST_VALUES + b"," * MOST_VALUES, False),
        (b"\xff\\" + b"," * 2 * MOST_VALUES, False),
    ],
)
def test_values_are_counted_outside_of_strings(content: bytes, fits: bool) -> None:
    try:
        must_have_few_values(content)
    except ContentTooLarge:
        assert not fits
    else:
        assert fits


def test_every_body_that_is_parsed_is_counted_first() -> None:
    routes = [route for router in V1.routers for route in router.routes if isinstance(route, APIRoute)]
    parsed = [route for route in routes if route.body_field]
    assert len(parsed) >= 5
    assert [route.path for route in parsed if not isinstance(route, JsonRoute)] == []


def test_what_is_shortened_keeps_both_ends() -> None:
    assert shortened("abcdefgh", 8) == "abcdefgh"
    assert shortened("abcdefghi", 4) == "ab (5 characters left out) hi"
