"""What is asked of several functions: each rule looks at one thing, and puts a line in the report."""

import re

from helpers.check.harness import MANY, STILL_OPEN
from helpers.check.reading import statements, with_values, without_order
from helpers.check.report import Stop
from helpers.check.words import connections, shortened, shown, told, user

INJECTED = "1; DROP TABLE user_data"
READ_ON = 1000  # rows that may be fetched after the consumer has stopped: a page
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
    if error and observed.get("closed_early") and not observed.get("count"):
        look.bad(asked, f"its connection was closed before the first next(): {told(error)}", 33)
        stop_here(look)
    if observed.get("closed_early") and observed.get("ended") and not observed["count"]:
        look.bad(asked, "its connection was closed before the first next(), and nothing came", 33)
        stop_here(look)
    if observed["notes"].get("read_closed"):
        then = told(error) if error else "what had not come by then never came"
        look.bad(asked, f"its connection was closed, and then its rows were asked for: {then}", 33)
        stop_here(look)
    if error:
        look.bad(asked, explained(error, observed["passed"]), why="It must run before it can be looked at.")
        stop_here(look)
    if observed["passed"].connections or observed.get("printed") or observed.get("items"):
        return
    if observed.get("value") is not None or "iterator" not in observed and observed.get("made") == "NoneType":
        return
    what = "it printed nothing, and returned None" if observed.get("made") == "NoneType" else "it gave nothing"
    look.bad(asked, f"{what}, and never asked the server", why="It runs, but there is no query in it yet.")
    stop_here(look)


def stop_here(look, because="it does not run to its end yet"):
    """Read in the source what cannot be run; say that the rest was not looked at, and stop."""
    read(look)
    look.report.skip("what else is asked", f"not looked at, because {because}")
    raise Stop


def read(look):
    """Put in the report which mistakes stand in the source of the function: where it cannot be run."""
    found = statements(look.source(), look.called)
    if written := next(filter(with_values, found), None):
        look.bad("what it is given stays a value, and is not run as SQL", in_source(look, written), 2)
    if loose := next(filter(without_order, found), None):
        number = 14 if look.report.lesson == "03" else 1
        look.bad("its pages come in a fixed order", in_source(look, loose), number)


def in_source(look, statement):
    """Say where a statement stands in the source."""
    text = shortened(statement.text.replace("?", "…"), 90)
    return f"read in the source{look.at(statement.line)}: {text}"


def explained(error, traffic):
    """Say in one line what came out of the learner's code, with what is known of its cause."""
    said = told(error)
    two = next((query for query in traffic.queries if re.search(r";\s*\S", query.text.rstrip(";\n "))), None)
    if "Commands out of sync" in error["text"] and two:
        rest = two.text.partition(";")[2].strip()
        what = "the comment" if rest.startswith(("--", "#", "/*")) else "what stands"
        said += f". {what[0].upper()}{what[1:]} behind the ; is a second statement: {shortened(rest, 40)}"
    return said


def gave_dots(observed):
    """Tell whether all that the function gave is the `...` of a stub."""
    given = [*observed.get("items", []), observed.get("value")]
    given = [item for item in given if item is not None]
    return bool(given) and all(item == ("object", "ellipsis", "Ellipsis") for item in given)


def streamed(look, asked, *arguments, **how):
    """Let the function stream from the people; stop the check where it fails, or gives nothing to go through.

    Returns what was observed, and how many connections were still open long afterwards.
    """
    observed = look.observe("people", *arguments, **how)
    first_run(look, observed, asked)
    needs_iterable(look, observed, asked)
    return observed, look.harness.still_open(observed)


def needs_iterable(look, observed, asked):
    """Stop the check where the function gives nothing to go through."""
    if "value" in observed and "items" in observed and not observed["items"]:
        what = f"a value of type {observed['made']}"
        if observed["made"].startswith(("async_", "coroutine")):
            what = f"{'a' if observed['made'] == 'coroutine' else 'an'} {observed['made']}: it is an async def"
        if observed["made"] == "NoneType":
            what = "None: a return or a yield is missing"
        look.bad(asked, f"it gave {what}", why="A for loop needs something to go through: a generator.")
        stop_here(look, "a for loop cannot go through it")


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
                 why="The server sends text, and the driver makes a Decimal of it. int(…) makes an int.")  # fmt: skip
    else:
        look.good(asked)


def stays(look, observed, thing="user"):
    """What was given stays as it was when it came: no dict or list is used again for the next one."""
    if observed["changed"] is not None:
        was = shown(observed["items"][observed["changed"]])
        look.bad(f"each {thing} stays as it was, for those who keep it",
                 f"the first {thing} was {was} when it came, and another one afterwards", 31)  # fmt: skip


def anew(look, observed, *arguments, thing="user"):
    """Each call starts from the first item: no generator is given out twice."""
    again = look.observe("people", *arguments, limit=observed["count"] + 10)
    if observed["count"] and observed["ended"] and not again["error"] and not again["count"] and again["ended"]:
        look.bad("each call gives all of it anew", f"the second call gave no {thing}: its generator was used up", 34)
        look.harness.anew = True  # what follows is looked at with a fresh import each time


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
    """Values that are not a positive int are refused at the call; `also`: (arguments, error) that are, too."""
    asked = f"a bad {what} is refused when you call it: TypeError for what is not an int, ValueError for 0 and less"

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
    observed = look.observe("many", *arguments, limit=limit, keep=0, steps=1, pause=True)
    crash = observed["error"]
    before_first = observed["sent"][0] if observed["sent"] else 0
    if not observed["passed"].connections and not crash:
        look.report.skip(asked, "not looked at, because it never asked the server")
    elif observed["ahead"] and observed["ahead"][0] >= ROWS_ALLOWED:
        look.bad(asked, f"while you paused after the first one, all {MANY:,} {things} came and were kept", 35)
    elif before_first >= ROWS_ALLOWED:
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
    if look.harness.at_import:
        look.report.skip(asked, "not looked at, because it uses one that was made at import")
        return
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
        if error and error["line"] and error["line"][2].strip().startswith("except"):
            look.bad(asked, f"{after}, {told(error)}", 37)
            return
        if error:
            look.bad(asked, f"{after}, {told(error)}", why="Stopping early is no error: break must work.")
            return
        if left:
            look.bad(asked, f"{after}, {connections(left)} still open {STILL_OPEN:.0f} s later", 3)
            return
        if (rows := observed["notes"].get("read_after_stop", 0)) > READ_ON:
            look.bad(asked, f"{after}, your code fetched {rows:,} more rows before it closed", 36)
            return
        if not observed["passed"].connections:
            look.report.skip(asked, "not looked at, because it never asked the server")
            return
    look.good(asked)


def ends(look, left):
    """No connection is open after a call."""
    asked = "it leaves no connection open"
    if left:
        look.bad(asked, f"after the call, {connections(left)} still open {STILL_OPEN:.0f} s later", 17)
    else:
        look.good(asked)


def rest_is_left(look, *arguments, thing="row"):
    """Whoever stops early does not wait for the rest of the table."""
    asked = "when you stop early, the rest of the table is not read"
    observed = look.observe("many", *arguments, stop=STOP_AT)
    # Over TCP a few megabytes are on their way, whoever cancels the query
    killed = any(query.bare.lstrip().startswith("KILL") for query in observed["passed"].queries)
    if observed["error"]:
        look.bad(asked, f"after you stopped at {thing} {STOP_AT}, {told(observed['error'])}", 30)
    elif observed["passed"].rows >= ROWS_ALLOWED and not killed:
        look.bad(asked, f"after you stopped at {thing} {STOP_AT}, closing read the rest of {MANY:,} rows", 36)
    else:
        look.good(asked)


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


def values_stay(look, do, given):
    """What the caller gives stays a value; `given`: for each parameter's name, arguments with SQL in its place."""
    asked = "what it is given stays a value, and is not run as SQL"
    how = {"limit": 3} if do == "stream" else {}
    for what, values in given.items():
        look.harness.fill("people")
        observed = look.watched(do, *values, **how)
        sent = next((q for q in observed["passed"].queries if "DROP TABLE" in q.bare), None)
        if sent:
            look.harness.fill("people")
            look.bad(asked, f"given {what}={INJECTED!r}, it sent the server: {' '.join(sent.text.split())[-90:]}", 2)
            return
    look.good(asked)


def one_of_a_kind(look, asked, queries):
    """Pages are ordered by something that no two users share: `queries` have an ORDER BY each."""
    ties = next((q for q in queries if not re.search(r"USER_ID|EMAIL|\b1\b", q.bare.rpartition("ORDER BY")[2])), None)
    if ties:
        look.bad(asked, f"the server was sent: {shortened(ties.text, 120)}",
                 why="Users that are equal in that have no order among them, and may change places from page to "
                 "page. Add user_id to it.", lesson="04")  # fmt: skip
    else:
        look.good(asked)
