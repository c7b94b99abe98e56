import pytest

from serving.inbox import inbox_name


@pytest.mark.parametrize(
    "name",
    [
        "inbox/report.docx",
        "inbox/2026/11/report.docx",
        "inbox/Größe 🌡 & 50% #1?.md",
        "inbox/.a",
        "inbox/..b",
        "inbox/c..",
    ],
)
def test_a_plain_path_under_the_inbox_is_a_name(name: str) -> None:
    assert inbox_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "inbox",
        "inbox/",
        "inbox//a.md",
        "inbox/a/",
        "inbox/./a.md",
        "inbox/../ab/" + "0" * 64,
        "inbox/a/..",
        "inbox/.. /a",
        "inbox/a\\..\\b",
        "inbox/a\0.md",
        "inbox/a\n.md",
        "inbox/a\x85.md",
        "inbox/\ud800.md",
        "/inbox/a.md",
        "/etc/passwd",
        "Inbox/a.md",
        "inboxes/a.md",
        "0" * 64,
        "https://house.blob.core.windows.net/articles/inbox/a.md",
        "inbox/" + "a" * 256,
        "inbox/" + "a/" * 250,
    ],
    ids=lambda name: ascii(name)[:30],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"inbox|name|part|characters"):
        inbox_name(name)
