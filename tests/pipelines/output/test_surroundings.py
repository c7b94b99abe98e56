import pytest

from pipelines.output.surroundings import end_of, start_of


@pytest.mark.parametrize(
    ("characters", "before", "after"),
    [(17, "They said so then", "They said so then"), (16, "…said so then", "They said so …"), (4, "…", " …")],
)
def test_what_is_too_long_is_cut_between_words(characters: int, before: str, after: str) -> None:
    text = "They said so then"
    assert (end_of(text, characters), start_of(text, characters)) == (before, after)
