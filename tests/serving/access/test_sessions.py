"""Sessions: what a token is good for, for how long, and what ends it."""

from datetime import datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.caller import Caller, NotSignedIn, Permission
from serving.access.sessions import DAY, LEEWAY, LIFE, Sessions
from serving.adapters.memory_revocations import MemoryRevocations
from tests.serving.build import NOW
from tests.serving.ticks import Turned

SECRET, OLDER = "s" * 32, "o" * 32
ADA = Caller("ada", frozenset({Permission.CHECK, Permission.FIGURES}), via="key:1")


def sessions(*secrets: str) -> Sessions:
    return Sessions(secrets or (SECRET,), MemoryRevocations(Turned()))


async def token(made: Sessions, *, caller: Caller = ADA, now: datetime = NOW) -> str:
    return (await made.mint(caller, None, now)).token


async def test_a_session_says_who_began_it_and_what_it_is_for() -> None:
    made = sessions()
    minted = await made.mint(ADA, frozenset({Permission.CHECK, Permission.ADMINISTER}), NOW)
    caller = await made.caller(minted.token, NOW)
    assert caller == minted.caller
    assert (caller.user, caller.permissions, caller.via) == ("ada", frozenset({Permission.CHECK}), "key:1")
    assert caller.session
    assert caller.session.until == NOW + LIFE


async def test_it_lasts_fifteen_minutes() -> None:
    made = sessions()
    given = await token(made)
    await made.caller(given, NOW + LIFE)
    with pytest.raises(NotSignedIn, match="has expired"):
        await made.caller(given, NOW + LIFE + LEEWAY)


async def test_an_ended_one_and_those_of_a_revoked_key_are_refused() -> None:
    made = sessions()
    ended, other = await made.mint(ADA, None, NOW), await token(made)
    assert ended.caller.session
    await made.end(ended.caller.session, NOW)
    with pytest.raises(NotSignedIn, match="was ended"):
        await made.caller(ended.token, NOW)
    await made.caller(other, NOW)
    await made.end_all_of("1")
    with pytest.raises(NotSignedIn, match="was ended"):
        await made.caller(other, NOW)


async def test_it_gives_way_to_a_new_one_once_and_for_a_day() -> None:
    made, now = sessions(), NOW
    first = (await made.mint(ADA, None, now)).caller
    second = (await made.mint(first, None, now)).caller
    caller = second
    while now + LIFE < NOW + DAY:
        now += LIFE
        caller = (await made.mint(caller, None, now)).caller
    assert caller.session
    assert caller.session.until == NOW + DAY
    with pytest.raises(NotSignedIn, match="ten hours ago"):
        await made.mint(caller, None, NOW + DAY)


async def test_a_second_refresh_ends_all_that_go_back_to_the_same_sign_in() -> None:
    made = sessions()
    copied, other = (await made.mint(ADA, None, NOW)).caller, await token(made)
    thief = await made.mint(copied, None, NOW)
    with pytest.raises(NotSignedIn, match="was refreshed before"):
        await made.mint(copied, None, NOW)
    with pytest.raises(NotSignedIn, match="was ended"):
        await made.caller(thief.token, NOW)
    await made.caller(other, NOW)


@pytest.mark.parametrize("which", ["first", "second"])
async def test_ending_a_session_ends_what_it_was_refreshed_from_and_to(which: str) -> None:
    made = sessions()
    first = await made.mint(ADA, None, NOW)
    second = await made.mint(first.caller, None, NOW)
    left = {"first": first, "second": second}[which].caller.session
    assert left
    await made.end(left, NOW)
    for minted in (first, second):
        with pytest.raises(NotSignedIn, match="was ended"):
            await made.caller(minted.token, NOW)


async def test_a_token_of_the_release_before_is_ended_by_itself() -> None:
    made = sessions()
    before = jwt.encode(claims(), SECRET, "HS256")
    session = (await made.caller(before, NOW)).session
    assert session
    await made.end(session, NOW)
    with pytest.raises(NotSignedIn, match="was ended"):
        await made.caller(before, NOW)


async def test_a_secret_can_be_replaced_without_ending_sessions() -> None:
    before = await token(sessions(OLDER))
    rotated = sessions(SECRET, OLDER)
    assert (await rotated.caller(before, NOW)).user == "ada"
    with pytest.raises(NotSignedIn, match="signature is not this service's"):
        await sessions(SECRET).caller(await token(sessions(OLDER)), NOW)
    assert (await sessions(SECRET).caller(await token(rotated), NOW)).user == "ada"


def claims(**changed: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    usual = {
        "iss": "copydesk",
        "aud": "copydesk",
        "sub": "ada",
        "jti": "1",
        "iat": at,
        "exp": at + 60,
        "auth_time": at,
        "scope": "check",
        "source": "entra",
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


@pytest.mark.parametrize("name", sorted(claims()))
async def test_every_claim_is_needed(name: str) -> None:
    assert (await sessions().caller(jwt.encode(claims(), SECRET, "HS256"), NOW)).user == "ada"
    with pytest.raises(NotSignedIn, match="not valid"):
        await sessions().caller(jwt.encode(claims(**{name: None}), SECRET, "HS256"), NOW)


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"aud": "other"}, "[Aa]udience"), ({"iss": "other"}, "[Ii]ssuer"), ({"exp": "soon"}, "not valid")],
)
async def test_claims_of_another_service_are_refused(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(NotSignedIn, match=says):
        await sessions().caller(jwt.encode(claims(**changed), SECRET, "HS256"), NOW)


async def test_an_unsigned_or_otherwise_signed_token_is_refused() -> None:
    for made in (jwt.encode(claims(), "", "none"), jwt.encode(claims(), SECRET * 2, "HS512")):
        with pytest.raises(NotSignedIn, match="not valid"):
            await sessions().caller(made, NOW)


@given(place=st.integers(min_value=0), other=st.sampled_from("abcXYZ019-_."))
async def test_no_changed_character_passes(place: int, other: str) -> None:
    made = sessions()
    given = await token(made, now=NOW - timedelta(minutes=1))
    place %= len(given) - 1  # the last one may hold bits that count for nothing
    if given[place] == other:
        return
    with pytest.raises(NotSignedIn):
        await made.caller(given[:place] + other + given[place + 1 :], NOW)
