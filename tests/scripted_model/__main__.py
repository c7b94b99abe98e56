"""`python -m tests.scripted_model`: the scripted model by itself, until Ctrl-C.

A script is a JSON object of guideline ids, each with answers given in turn:
`{"attribution-of-claims": [{"quotes": ["Experts say"]}, {"status": 429}]}`; other keys are those of `Scripted`.
"""

import argparse
import json
import sys
import threading
from pathlib import Path
from typing import Any

from tests.scripted_model import Scripted, ScriptedModel, finds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scripted_model", description=__doc__)
    parser.add_argument("script", nargs="?", type=Path, help="a JSON file; without one nothing is ever found")
    parser.add_argument("--port", type=int, default=8900)
    parser.add_argument("--seconds", type=float, default=0.0, help="what each answer takes")
    parser.add_argument("--busy", type=float, default=0.0, help="share of calls that get a 429")
    parser.add_argument("--obeys", action="store_true", help="obey text that gets out of the article's frame")
    given = parser.parse_args()
    script = json.loads(given.script.read_text(encoding="utf-8")) if given.script else {}
    answers = {guideline: [_scripted(entry) for entry in entries] for guideline, entries in script.items()}
    with ScriptedModel(answers, port=given.port, seconds=given.seconds, busy=given.busy, obeys=given.obeys) as model:
        sys.stderr.write(f"COPYDESK_MODEL_URL={model.url}\n")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            tokens = sum(model.traffic.input_tokens)
            sys.stderr.write(f"{len(model.calls)} calls, {model.traffic.refused} refused, {tokens:,} input tokens\n")


def _scripted(entry: dict[str, Any]) -> Scripted:
    if "quotes" in entry:
        return finds(*entry["quotes"], paragraph=entry.get("paragraph", 1), suggestion=entry.get("suggestion", ""))
    return Scripted(**entry)


if __name__ == "__main__":
    main()
