"""What importing a file of a solution does, and what can be said where it does not get that far."""

import re

from helpers.check import reading
from helpers.check.copying import needed
from helpers.check.report import Stop
from helpers.check.rules import stop_here
from helpers.check.words import shortened, told

WORK = re.compile(r"SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|TRUNCATE|LOAD|WITH|SHOW|USE", re.IGNORECASE)


def loaded(look, file, names, first=True):
    """Look at what importing the file does, and whether it has the functions; stop where nothing can be run.

    first: whether it is the first function of its file that is looked at: what the file does is said once.
    """
    asked = "importing the file does nothing but define"
    observed = look.harness.learner.load()
    look.printed = observed["printed"] + observed.get("complained", "")
    if observed["error"]:
        not_imported(look, asked, observed)
    made = look.harness.left_open(0.1)
    if first:
        at_import(look, asked, observed, file, made)
    if made:
        look.harness.anew = True
    look.called = observed["called"].get(look.name, look.name)
    missing = [name for name in names if name not in observed["names"]]
    stubs = [name for name in observed["stubs"] if name in names]
    if {*names} <= {*stubs}:
        look.report.problem = "not written yet"
        raise Stop
    if missing:
        what = f"{file} has no {', '.join(f'{name}()' for name in missing)}"
        look.bad("it has the functions that the task names", what, why="Other files call them by these names.")
    if stubs:
        look.bad("its functions are written", f"not written yet: {', '.join(f'{name}()' for name in stubs)}",
                 why="The others need them.")  # fmt: skip
    if len(missing) == len(names):
        stop_here(look, "there is no such function")
    return missing + stubs


def at_import(look, asked, observed, file, made):
    """Say what importing the file did."""
    passed = look.harness.proxy.traffic
    notes = observed["notes"]
    worked = [query for query in passed.queries if WORK.match(query.bare)]
    printed = observed["printed"].strip().splitlines()
    for module in notes.get("stood_in", []):
        look.note(f"{file} imports {module}, which nothing uses, and which is not installed here")
    did = []
    if worked or passed.connections and not made:
        did.append(f"connected to the server and sent it {len(passed.queries)} queries")
    if printed and not (made and not worked):
        did.append(f"printed {len(printed)} lines")
    if "network" in notes:
        did.append(f"asked for {notes['network'][0]}")
    if did:
        look.bad(asked, f"importing {file} {' and '.join(did)}", 26)
    if made:
        what = "a connection" if made == 1 else f"{made} connections"
        look.bad(
            "it connects when a function is called, not at import", f"importing {file} made {what} that stayed open", 38
        )
    if not did and not made:
        look.good(asked)
    keyboard(look, notes)


def keyboard(look, notes):
    """Say that code asks at the keyboard, if it does."""
    asked = "it runs with nobody at the keyboard"
    if "asked" in notes and not any(line.asked == asked for line in look.report.lines):
        look.bad(asked, f"it called {notes['asked'][0]}",
                 why="Other scripts, tests and servers import these functions. Read the environment instead: "
                 'os.environ["MYSQL_PASSWORD"].')  # fmt: skip


def not_imported(look, asked, observed):
    """Say why a file cannot be imported, read in it what can be read, and stop."""
    error, notes = observed["error"], observed["notes"]
    source = look.source()
    network = notes.get("network")
    if error["type"] == "SyntaxError" and reading.is_python_2(source):
        look.bad("it is Python 3", f"it is written for Python 2: {told(error)}", why="No Python 2 runs today.")
    elif error["type"] == "ModuleNotFoundError" and (package := missing_package(error, look.without)):
        place = f", {error['line'][0]} line {error['line'][1]}" if error["line"] else ""
        look.report.problem = f"needs the package {package}, which is not installed here{place}"
        look.report.unable = True
    elif network:
        look.bad(asked, f"importing it asked for {network[0]}, and then {shortened(told(error), 120)}", 26)
    else:
        look.bad(asked, told(error), why="Nothing else can be run before this is fixed.")
    keyboard(look, notes)
    stop_here(look, "it cannot be imported")


def missing_package(error, without):
    """Return the name of a package that is not installed here, "" where it is a file of the solution's or a slip.

    without: what the copy of the solution lacks (see copying.copied).
    """
    found = re.search(r"No module named '([\w.]+)'", error["text"])
    name = found[1] if found else ""
    own = "." in name or re.match(r"seed|\d|user_data|mysql", name) or needed(without, name)
    return "" if own else name


def another_world(look, source, file):
    """Stop where the file is made for another database."""
    if other := reading.other_database(source):
        module, database, line = other
        look.report.problem = (
            f"made for {database} ({module}, {file} line {line}). The project is about MySQL: use mysql.connector"
        )
        look.report.unable = look.report.foreign = True
        stop_here(look, f"it is made for {database}")
