"""A process that trains runs, one line of JSON for each on its standard input."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import Any

from tetract.errors import BugError, Exit, TetractError


def main() -> int:
    """Answer every request until the input ends; what libraries print goes to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # training takes it over in turn
    for line in sys.stdin:
        try:
            answer = _finish(json.loads(line))
        except KeyboardInterrupt:
            return Exit.INTERRUPTED
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    return Exit.OK


def _finish(request: dict[str, Any]) -> dict[str, str]:
    """What became of one run; ``error`` is empty where it is finished."""
    # Imported late, so that an interrupt while torch loads is an interrupt like any other.
    from tetract.recipe import Recipe  # noqa: PLC0415 - see above
    from tetract.reproduce.one_run import finish  # noqa: PLC0415 - see above

    try:
        finish(Recipe.model_validate(request["recipe"]), keep_weights=request["keep_weights"])
    except TetractError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - one run's fault must not end the others
        traceback.print_exc()  # to the log
        told = BugError("E_BUG", type(error).__name__, fix="Please report what is in logs/")
        return {"error": str(told)}
    return {"error": ""}


if __name__ == "__main__":
    sys.exit(main())
