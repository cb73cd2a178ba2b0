"""Check a whole solution of the public project as it stands in a folder: python -m helpers.check FOLDER."""

import argparse
import json
import sys

import mysql.connector

from helpers.check import folder
from helpers.server import ServerError


def main(arguments=None):
    """Run the check; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m helpers.check",
        description="Run a solution of the generators project against a private server and say what to fix.",
        epilog="Exit status: 0 all is well, 1 something is to fix, 2 it could not be checked. The solution runs with "
        "limits on its time and memory, but in no sandbox: check only code that you would run.",
    )
    parser.add_argument("folder", help="the folder with seed.py, 0-stream_users.py and the others; it is not changed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the report")
    asked = parser.parse_args(arguments)
    say = None if asked.json else lambda report: print(f"{report}\n", flush=True)
    try:
        folder.files(asked.folder)  # before a server is started
        with folder.private_server():
            result = folder.solution(asked.folder, say)
    except (FileNotFoundError, ServerError, mysql.connector.Error) as error:
        if asked.json:
            print(json.dumps({"folder": asked.folder, "ok": False, "status": 2, "problem": str(error)}))
        else:
            print(error, file=sys.stderr)
        return 2
    print(json.dumps(result.as_dict(), ensure_ascii=False, indent=2) if asked.json else result.summary())
    return result.status


if __name__ == "__main__":
    sys.exit(main())
