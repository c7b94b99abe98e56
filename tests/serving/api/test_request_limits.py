"""A request that takes too long is answered, whatever the application makes of being stopped."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Message, Receive, Scope, Send

from serving.api.request_limits import Limits, RequestLimits

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
FINISHED: Message = {"type": "http.response.start", "status": 200, "headers": []}

App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def forever(*_: object) -> None:
    await asyncio.Event().wait()


async def answers_all_the_same(_: Scope, __: Receive, send: Send) -> None:
    try:
        await forever()
    except asyncio.CancelledError:
        await send(FINISHED)


async def fails_at_stopping(*_: object) -> None:
    try:
        await forever()
    finally:
        raise ValueError("no connection to roll back on")


async def takes_long_to_stop(*_: object) -> None:
    try:
        await forever()
    finally:
        await asyncio.sleep(0.2)


async def asked(app: App, sent: list[Message]) -> int:
    """How often the task is to be cancelled, after a request."""

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    await RequestLimits(app, Limits(answer_seconds=0.05))(SCOPE, receive, send)
    task = asyncio.current_task()
    assert task
    return task.cancelling()


def statuses(sent: list[Message]) -> list[int]:
    return [message["status"] for message in sent if message["type"] == "http.response.start"]


@pytest.mark.parametrize("app", [forever, answers_all_the_same, takes_long_to_stop])
async def test_it_is_answered_once_and_its_task_goes_on(app: App) -> None:
    sent: list[Message] = []
    assert await asked(app, sent) == 0
    assert statuses(sent) == [503]


async def test_what_fails_at_stopping_is_told_and_its_client_was_answered() -> None:
    sent: list[Message] = []
    with pytest.raises(ValueError, match="roll back"):
        await asked(fails_at_stopping, sent)
    await asyncio.sleep(0)
    assert statuses(sent) == [503]


async def test_what_is_answered_in_time_is_left_alone() -> None:
    async def answers(_: Scope, __: Receive, send: Send) -> None:
        await send(FINISHED)

    async def says_nothing(*_: object) -> None: ...

    sent: list[Message] = []
    for app in (answers, says_nothing):
        assert await asked(app, sent) == 0
    await asyncio.sleep(0.1)  # beyond what there was for an answer
    assert statuses(sent) == [200]


@pytest.mark.parametrize(
    ("app", "after"),
    [(forever, 0.0), (takes_long_to_stop, 0.0), (takes_long_to_stop, 0.1)],
    ids=["in time", "in time, and it stops too late", "while it is given up"],
)
async def test_who_cancels_the_request_cancels_it(app: App, after: float) -> None:
    request = asyncio.create_task(asked(app, []))
    await asyncio.sleep(after)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
