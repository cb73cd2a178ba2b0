"""What comes out of a function when the database is away, or lost on the way: an error, or part of the users."""

from helpers.check.harness import MANY
from helpers.check.words import CRASHES, shown, told

LOST_AFTER = 1500  # rows until the server is lost
# What an error handler raises that fails itself
OF_A_HANDLER = ("AttributeError", "TypeError", "NameError", "KeyError", "IndexError", "ImportError")


def errors(look, do, *arguments, things="users", whole=True):
    """A server that is away, or lost on the way, comes out as an error; `whole` says that it reads the whole table."""
    asked = "a server that is away, or lost on the way, is an error that says so"
    how = {"limit": MANY + 10, "keep": 50} if do == "stream" else {}
    retries = False
    for lost in (False, True) if whole else (False,):
        if not lost and look.harness.at_import:
            continue  # its connection is there before the server goes
        look.harness.fill("many")
        if lost:
            look.harness.proxy.lose_after = LOST_AFTER
        else:
            look.harness.proxy.be_away()
        observed = look.watched(do, *arguments, **how)
        if lost and not observed["error"] and observed["passed"].rows < LOST_AFTER:
            continue  # it does not read that far
        if not observed["passed"].connections and not observed["notes"].get("connects"):
            look.report.skip(asked, "not looked at, because it never asked the server")
            return
        retries = lost and observed["notes"].get("connects", 0) > observed["passed"].connections
        when = f"with the server lost after {LOST_AFTER:,} of {MANY:,} {things}" if lost else "with the server away"
        if fault := swallowed(do, observed):
            look.bad(asked, f"{when}, {fault[0]}", **fault[1])
            break
    else:
        look.good(asked)
    if do == "stream" and retries:
        once_more(look, *arguments, things=things)


def once_more(look, *arguments, things="users"):
    """Where a lost connection is made again, what came before it does not come again."""
    look.harness.fill("many")
    look.harness.proxy.lose_after, look.harness.proxy.lose_once = LOST_AFTER, True
    observed = look.watched("stream", *arguments, limit=MANY + LOST_AFTER + 10, keep=0)
    more = observed["users"] - MANY
    if more > 0 and not observed["error"]:
        look.bad("after a lost connection it goes on where it was",
                 f"with the connection lost once, after {LOST_AFTER:,} {things}, {more:,} came twice", 32)  # fmt: skip


def swallowed(do, observed):
    """Say what is wrong with how an error of the database came out (str), and as what (arguments of bad()); or None."""
    error = observed["error"]
    if error is None:
        return ending(do, observed), {"mistake": 5}
    if "generator raised StopIteration" in error["text"]:
        return f"the real error was dropped, and then {told(error)}", {"mistake": 5}
    of_none = error["type"] in ("AttributeError", "TypeError") and "None" in error["text"] and not error["driver"]
    while_handling = any(map(of_database, error["chain"][1:]))
    unbound = error["type"] == "UnboundLocalError" or error["type"] == "NameError" and "free variable" in error["text"]
    if unbound or of_none and while_handling:
        return f"what came out was {error['type']}: {error['text']}", {"mistake": 18}
    if error["type"] in OF_A_HANDLER and while_handling and not error["raised_from"] and not error["driver"]:
        return f"your handler failed itself: {told(error)}", {"mistake": 37}
    if error["type"] == "NameError":
        return f"what came out was NameError: {error['text']}", {"mistake": 18}
    if of_none:
        return f"the real error was dropped, and then {told(error)}", {"mistake": 5}
    if error["type"] in CRASHES or error["type"] == "SystemExit":
        return told(error), {"why": "Only the caller knows what to do then: raise the error.", "lesson": "02"}
    return None


def of_database(classes):
    """Tell whether one of an error's classes (names) is a driver's."""
    return any(name.startswith(("mysql.", "pymysql.", "MySQLdb.")) for name in classes)


def ending(do, observed):
    """Say how a function ended that should have raised an error."""
    if do == "call":
        if observed.get("iterator") or observed.get("value") is not None:
            return f"it returned {shown(observed.get('value'))} as if all were well"
        return "it returned as if all were well"
    if None in observed["items"]:
        return "it gave None in the place of a user, and no error"
    if "value" in observed:
        return f"it returned {shown(observed['value'])} as if all were well"
    return "it ended as if that were all" if observed["count"] else "it ended as if the table were empty"
