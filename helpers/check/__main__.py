"""Check a whole solution of the public project as it stands in a folder: python -m helpers.check FOLDER.

python -m helpers.check --class FOLDER checks a class: a folder of such folders, or of lessons that learners hand in.
"""

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
        epilog="Exit status: 0 all is well, 1 something is to fix, 2 it could not be checked, 130 stopped by Ctrl-C. "
        "The solution runs with limits on its time and memory, but in no sandbox: check only code that you would run.",
    )
    parser.add_argument("folder", help="the folder with seed.py, 0-stream_users.py and the others; it is not changed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the report")
    class_help = "FOLDER holds a folder for each learner, or lessons that they hand in (.ipynb)"
    parser.add_argument("--class", action="store_true", dest="is_class", help=class_help)
    parser.add_argument("--csv", metavar="FILE", help="with --class: write the table to a file, for a grade book")
    asked = parser.parse_args(arguments)
    if asked.is_class and asked.json or asked.csv and not asked.is_class:
        parser.error("--csv belongs to --class, and --json does not go with it")
    if asked.is_class:
        return check_class(asked.folder, asked.csv)
    say = None if asked.json else lambda report: print(f"{report}\n", flush=True)
    try:
        folder.files(asked.folder)  # before a server is started
        with folder.private_server():
            result = folder.solution(asked.folder, say)
            print(json.dumps(result.as_dict(), ensure_ascii=False, indent=2) if asked.json else result.summary())
    except (FileNotFoundError, ServerError, mysql.connector.Error) as error:
        if asked.json:
            print(json.dumps({"folder": asked.folder, "ok": False, "status": 2, "problem": str(error)}))
        else:
            print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    return result.status


def check_class(class_folder, csv_file=None):
    """Check a class, print its table; return 0 if all was checked, 2 otherwise, 130 if it was stopped."""
    from helpers.check import whole_class  # here: reading notebooks takes long to import, and one folder has none

    try:
        with whole_class.bar(class_folder) as progress:
            answers = whole_class.check_class(class_folder, progress)
        if csv_file:
            whole_class.write_csv(answers, csv_file)
    except (OSError, ServerError, mysql.connector.Error) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What was checked is kept: run the same command again to go on.", file=sys.stderr)
        return 130
    print(whole_class.text(answers))
    if further := whole_class.next_step(answers, class_folder):
        print(f"\n{further}")
    return 2 if any(answer["problem"] for answer in answers.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
