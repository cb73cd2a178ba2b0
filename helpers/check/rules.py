"""What is asked of several functions: each rule looks at one thing, and puts a line in the report."""

import re

from helpers.check.harness import MANY, STILL_OPEN
from helpers.check.report import Stop
from helpers.check.words import CRASHES, connections, shortened, shown, told, user

HIDING = ("NameError", "UnboundLocalError")
LOST_AFTER = 1500  # rows until the server is lost
ROWS_ALLOWED = int(MANY * 0.9)  # sent before the first item comes out
MEMORY_ALLOWED = 7  # MiB: two thirds of a list of all the users of the large table
STOP_AT = 6  # the row after which the consumer stops
REFUSED = {"TypeError": ("300", 2.5, None), "ValueError": (0, -1)}  # sizes, and the errors they must get

# How far it gets ------------------------------------------------------------------------------------------------------


def first_run(look, observed, asked):
    """Stop the check where the first, plain run fails or gives nothing."""
    error = observed["error"]
    if gave_dots(observed) or error and error["type"] == "NotImplementedError":
        look.report.problem = "not written yet"
        raise Stop
    if error:
        look.bad(asked, told(error), why="Nothing else can be looked at before this is fixed.")
        raise Stop
    if observed["passed"].connections or observed.get("printed") or observed.get("items"):
        return
    if observed.get("value") is not None or "iterator" not in observed and observed.get("made") == "NoneType":
        return
    what = "it printed nothing, and returned None" if observed.get("made") == "NoneType" else "it gave nothing"
    look.bad(asked, f"{what}, and never asked the server", why="It runs, but there is no query in it yet.")
    raise Stop


def gave_dots(observed):
    """Tell whether all that the function gave is the `...` of a stub."""
    given = [*observed.get("items", []), observed.get("value")]
    given = [item for item in given if item is not None]
    return bool(given) and all(item == ("object", "ellipsis", "Ellipsis") for item in given)


def needs_iterable(look, observed, asked, wanted="something to go through: a generator"):
    """Stop the check where the function gives nothing to go through."""
    if "value" in observed and "items" in observed and not observed["items"]:
        what = f"a value of type {observed['made']}"
        if observed["made"] == "NoneType":
            what = "None: a return or a yield is missing"
        look.bad(asked, f"it gave {what}", why=f"A for loop needs {wanted}.")
        raise Stop


# What is given --------------------------------------------------------------------------------------------------------


def dicts(look, items, ages=False):
    """Each user is a dict; with `ages`, the age is an int."""
    asked = f"each user is a dict with user_id, name, email and age{', an int' if ages else ''}"
    wrong = [item for item in items if not isinstance(item, dict)]
    if wrong:
        is_object = isinstance(wrong[0], tuple) and wrong[0][:1] == ("object",)  # as runner.plain() writes it
        kind = wrong[0][1] if is_object else type(wrong[0]).__name__
        look.bad(asked, f"the first user was a {kind}: {shown(wrong[0])}", 8)
    elif any(set(item) != {"user_id", "name", "email", "age"} for item in items):
        keys = ", ".join(map(str, items[0]))
        look.bad(asked, f"the first user has the keys {keys}", why="The next step looks for all four.")
    elif ages and items and type(items[0]["age"]) is not int:
        look.bad(asked, f"the first user's age was {shown(items[0]['age'])}",
                 why="The server sends an age as text or as a Decimal. int(…) makes a number of it.")  # fmt: skip
    else:
        look.good(asked)


def stays(look, observed, thing="user"):
    """What was given stays as it was when it came: no dict or list is used again for the next one."""
    if observed["changed"] is not None:
        was = shown(observed["items"][observed["changed"]])
        look.bad(f"each {thing} stays as it was, for those who keep it",
                 f"the first {thing} was {was} when it came, and another one afterwards", 31)  # fmt: skip


def flat(items):
    """Give the users of batches; a user among them is one as well."""
    for item in items:
        yield from item if isinstance(item, (list, tuple)) and user(item) is None else [item]


def edges(look, asked, *arguments, flat=lambda items: items):
    """An empty table gives nothing, one row gives one."""
    for data, wanted in (("none", 0), ("one", 1)):
        observed = look.observe(data, *arguments, limit=50)
        found = len(list(flat(observed["items"]))) if not observed["error"] else None
        on = "an empty table" if data == "none" else "one row"
        if observed["error"]:
            look.bad(asked, f"on {on} {told(observed['error'])}", why="A table is empty on the day it is made.")
            return
        if not found == observed["count"] == wanted or not observed["ended"]:
            given = f"{observed['count']} items" + ("" if observed["ended"] else " and went on")
            why = (
                "Users at the end of the table are lost, and nothing says so."
                if found < wanted
                else "The loop behind it takes each item for what the table holds."
            )
            look.bad(asked, f"{on} gave {given}, as {shown(observed['items'][:1])}", why=why)
            return
    look.good(asked)


def refusals(look, what, *others, also=()):
    """Values that are no positive int are refused at the call; `also`: (arguments, error) that are, too."""
    asked = f"a bad {what} is refused when you call it: TypeError for what is no int, ValueError for 0 and less"

    def attempts(function, all_arguments):
        raised = []
        for arguments, _ in all_arguments:
            try:
                made = function(*arguments)
            except Exception as error:
                raised.append([c.__name__ for c in type(error).__mro__])
            else:
                raised.append([])
                if hasattr(made, "close"):
                    made.close()
        return raised

    tried = [((value, *others), error) for error, values in REFUSED.items() for value in values] + [*also]
    look.harness.fill("people")
    with look.asks(asked, why="An error at the call points to the line that is wrong. Later, nothing does."):
        for (arguments, error), raised in zip(tried, look.run(attempts, tried), strict=True):
            if error not in raised:
                got = f"raised {raised[0]}" if raised else "raised nothing"
                call = f"{look.name}({', '.join(map(repr, arguments))})"
                look.fail(f"{call} {got}, where {error} is asked for")
        if queries := look.harness.proxy.traffic.selects:
            look.fail(f"it was refused, but first the server was sent: {shortened(queries[0].text, 80)}")


# What it costs --------------------------------------------------------------------------------------------------------


def memory(look, *arguments, things="users", limit=MANY + 10):
    """Users come as they are asked for, and do not pile up; `limit` is how many items are taken."""
    asked = f"{things} come as you ask for them, and memory stays flat"
    observed = look.observe("many", *arguments, limit=limit, keep=0, steps=1)
    crash = observed["error"]
    before_first = observed["sent"][0] if observed["sent"] else 0
    if before_first >= ROWS_ALLOWED:
        buffered = observed["notes"].get("buffered") or observed["notes"].get("stored")
        how = f" (the cursor is a {buffered})" if buffered else ""
        look.bad(
            asked, f"all {MANY:,} {things} had come from the server before your first one came out{how}",
            25 if buffered else 11,
        )  # fmt: skip
    elif crash:
        look.bad(asked, f"on {MANY:,} rows {told(crash)}", why="It must work on a large table as on a small one.")
    elif observed["peak"] > MEMORY_ALLOWED:
        look.bad(asked, f"on {MANY:,} rows memory grew by about {round(observed['peak'], -1):.0f} MiB", 11)
    else:
        look.good(asked)


# Connections ----------------------------------------------------------------------------------------------------------


def closing(look, left, *arguments, thing="row", stop=STOP_AT):
    """Connections are closed at the end (`left`: those open after a full run), and when the consumer stops early."""
    asked = "its connection is closed at the end, and when you stop early"
    if left:
        look.bad(asked, f"after the last {thing}, {connections(left)} still open {STILL_OPEN:.0f} s later", 17)
        return
    for how in ("close", "raise"):
        observed = look.observe("many", *arguments, stop=stop, how=how)
        left = look.harness.still_open(observed)
        what = "you stopped" if how == "close" else "an error in your loop"
        after = f"after {what} at {thing} {stop}"
        error = observed["error"]
        if error and "Unread result" in error["text"]:
            also = f", and {connections(left)} still open" if left else ""
            look.bad(asked, f"{after}, closing raised {error['type']}: {error['text']}{also}", 30)
            return
        if error:
            look.bad(asked, f"{after}, {told(error)}", why="Stopping early is no error: break must work.")
            return
        if left:
            look.bad(asked, f"{after}, {connections(left)} still open {STILL_OPEN:.0f} s later", 3)
            return
    look.good(asked)


def ends(look, left, asked="it leaves no connection open"):
    """No connection is open after a call."""
    if left:
        look.bad(asked, f"after the call, {connections(left)} still open {STILL_OPEN:.0f} s later", 17)
    else:
        look.good(asked)


def rest_is_left(look, *arguments, thing="row", stop=STOP_AT):
    """Whoever stops early does not wait for the rest of the table."""
    asked = "when you stop early, the rest of the table is not read"
    observed = look.observe("many", *arguments, stop=stop)
    if observed["error"]:
        look.bad(asked, f"after you stopped at {thing} {stop}, {told(observed['error'])}", 30)
    elif observed["passed"].rows >= ROWS_ALLOWED:
        look.bad(asked, f"after you stopped at {thing} {stop}, closing read the rest of {MANY:,} rows", 36)
    else:
        look.good(asked)


# Errors of the database -----------------------------------------------------------------------------------------------


def errors(look, do, *arguments, things="users", whole=True):
    """A server that is away, or lost on the way, comes out as an error; `whole` says that it reads the whole table."""
    asked = "a server that is away, or lost on the way, is an error that says so"
    how = {"limit": MANY + 10, "keep": 50} if do == "stream" else {}
    for lost in (False, True) if whole else (False,):
        look.harness.fill("many")
        if lost:
            look.harness.proxy.lose_after = LOST_AFTER
        else:
            look.harness.proxy.be_away()
        observed = look.watched(do, *arguments, **how)
        if lost and not observed["error"] and observed["passed"].rows < LOST_AFTER:
            continue  # it does not read that far
        when = f"with the server lost after {LOST_AFTER:,} of {MANY:,} {things}" if lost else "with the server away"
        if fault := swallowed(do, observed):
            look.bad(asked, f"{when}, {fault[0]}", **fault[1])
            return
    look.good(asked)


def swallowed(do, observed):
    """Say what is wrong with how an error of the database came out (str), and as what (arguments of bad()); or None."""
    error = observed["error"]
    if error is None:
        return ending(do, observed), {"mistake": 5}
    of_none = error["type"] in ("AttributeError", "TypeError") and "None" in error["text"] and not error["driver"]
    if error["type"] in HIDING or of_none and any(map(of_database, error["chain"][1:])):
        return f"what came out was {error['type']}: {error['text']}", {"mistake": 18}
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


# The order of pages ---------------------------------------------------------------------------------------------------


def ordered(look, queries, mistake):
    """Pages and batches that are cut by LIMIT have an order. Nothing is said where LIMIT is not used."""
    cut = [q for q in queries if re.search(r"\bLIMIT\b", q.bare)]
    if not cut:
        return
    asked = "its pages come in a fixed order"
    for query in cut:
        alone = not re.search(r"\bOFFSET\b|\bWHERE\b|LIMIT [^ ]+ ?,", query.bare)
        if not alone and "ORDER BY" not in query.bare:
            look.bad(asked, f"the server was sent: {shortened(query.text, 120)}", mistake)
            return
    one_of_a_kind(look, asked, [query for query in cut if "ORDER BY" in query.bare])


def one_of_a_kind(look, asked, queries):
    """Pages are ordered by something that no two users share: `queries` have an ORDER BY each."""
    ties = next((q for q in queries if not re.search(r"USER_ID|EMAIL|\b1\b", q.bare.rpartition("ORDER BY")[2])), None)
    if ties:
        look.bad(asked, f"the server was sent: {shortened(ties.text, 120)}",
                 why="Users that are equal in that have no order among them, and may change places from page to "
                 "page. Add user_id to it.", lesson="04")  # fmt: skip
    else:
        look.good(asked)
