"""Names of files that other programs put into the blob store to be checked."""

import re

INBOX = "inbox/"
LONGEST_NAME = 500  # characters; it stands for the document's id
LONGEST_PART = 255  # bytes, as file systems have it
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\\]")


def inbox_name(name: str) -> str:
    """The name as it is; raises ValueError for what isn't a plain path of a file under the inbox."""
    if len(name) > LONGEST_NAME:
        raise ValueError(f"a name has at most {LONGEST_NAME} characters, got {len(name)}")
    if not name.startswith(INBOX):
        raise ValueError(f"{name!r} is not in the inbox: only names that begin with {INBOX!r} can be checked")
    if _UNNAMEABLE.search(name):
        raise ValueError(f"{name!r} has control characters or backslashes: write it with '/' alone")
    for part in name.split("/"):
        if part.strip(". ") == "":
            raise ValueError(f"{name!r} has an empty part, or one of dots: write the whole path of a file")
        if len(part.encode()) > LONGEST_PART:
            raise ValueError(f"{name!r} has a part of more than {LONGEST_PART} bytes")
    return name
