import asyncio

import pytest

from serving.about import NOTHING, About, about, new_trace_parent, regarding, sound_trace_parent

PARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


async def test_what_is_started_within_is_about_the_same_and_what_follows_is_not() -> None:
    async def seen() -> About:
        await asyncio.sleep(0)
        return about()

    present = About("r", PARENT, "job", 2)
    with regarding(present):
        beside = asyncio.create_task(seen())
        in_a_thread = await asyncio.to_thread(about)
    assert (await beside, in_a_thread, about()) == (present, present, NOTHING)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "00",
        PARENT.upper(),
        f"01-{'ab' * 16}-{'cd' * 8}-01",
        f"00-{'0' * 32}-{'cd' * 8}-01",
        f"{PARENT}-x",
        f"{PARENT}\n",
    ],
)
def test_what_is_no_trace_parent_is_left_out(given: str) -> None:
    assert sound_trace_parent(given) == ""


def test_a_trace_of_its_own_is_a_sound_one_that_nobody_records() -> None:
    made = {new_trace_parent() for _ in range(100)}
    assert len(made) == 100
    assert all(sound_trace_parent(parent) and parent.endswith("-00") for parent in made)
    assert About(trace_parent=PARENT).trace_id == "ab" * 16
