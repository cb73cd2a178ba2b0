"""What is asked of the functions of Tasks 1 to 4 and of count_upto, and how each is looked at."""

import re

from helpers.check.bench import MANY, PEOPLE, STILL_OPEN, difference, number, user

CRASHES = ("Hung", "Memory", "Died")
HIDING = ("NameError", "UnboundLocalError")
LOST_AFTER = 1500  # rows until the server is lost
ROWS_ALLOWED = int(MANY * 0.9)  # sent before the first item comes out
MEMORY_ALLOWED = 7  # MiB: two thirds of a list of all the users of the large table
STOP_AT = 6  # the row after which the consumer stops
BATCH = 5  # does not divide the number of people
OVER_25 = [person for person in PEOPLE if person[3] > 25]


class Stop(Exception):
    """The function does not get far enough for the rest to be looked at."""


# Things that are asked of several functions ---------------------------------------------------------------------------


def told(error):
    """Say in one line what came out of the learner's code."""
    if error["type"] in CRASHES:
        return error["text"]
    what = f"{error['type']}: {error['text']}" if error["text"] else error["type"]
    if error["type"] == "SystemExit":
        what = "sys.exit (SystemExit): it would have ended the notebook"
    place = ""
    if error["line"]:
        file, line, source = error["line"]
        place = f" ({file + ', ' if file else ''}line {line}{': ' + source.strip() if source else ''})"
    return f"it raised {what}{place}"


def first_run(report, seen, asked):
    """Stop the check where the first, plain run fails."""
    error = seen["error"]
    if error:
        if error["type"] == "NotImplementedError":
            report.problem = "not written yet"
        else:
            report.bad(asked, told(error), why="Nothing else can be looked at before this is mended.")
        raise Stop
    if gave_dots(seen):
        report.problem = "not written yet"
        raise Stop
    if seen["passed"].connections or seen.get("printed") or seen.get("items") or seen.get("value") is not None:
        return
    if seen.get("made") != "NoneType" or "items" not in seen or seen.get("iterator") is not None:
        what = "it gave nothing" if seen.get("made") != "NoneType" else "it printed nothing, and returned None"
        report.bad(asked, f"{what}, and never asked the server", why="It runs, but there is no query in it yet.")
        raise Stop


def gave_dots(seen):
    """Whether all that the function gave is the `...` of a stub."""
    given = [*seen.get("items", []), seen.get("value")]
    given = [item for item in given if item is not None]
    return bool(given) and all(item == ("object", "ellipsis", "Ellipsis") for item in given)


def needs_iterable(report, seen, asked, wanted):
    """Stop the check where the function gives nothing to go through."""
    if "value" in seen and "items" in seen and not seen["items"]:
        what = f"a value of type {seen['made']}"
        if seen["made"] == "NoneType":
            what = "None: a return or a yield is missing"
        report.bad(asked, f"it gave {what}", why=f"A for loop needs {wanted}.")
        raise Stop


def memory(report, bench, name, *arguments, things="users", limit=MANY + 10):
    """Users come as they are asked for, and do not pile up; `limit` is how many items are taken."""
    asked = f"{things} come as you ask for them, and memory stays flat"
    seen = bench.stream("many", name, *arguments, limit=limit, keep=0, steps=1)
    crash = seen["error"]
    before_first = seen["sent"][0] if seen["sent"] else 0
    if before_first >= ROWS_ALLOWED:
        buffered = seen["notes"].get("buffered") or seen["notes"].get("stored")
        how = f" (the cursor is a {buffered})" if buffered else ""
        report.bad(
            asked, f"all {MANY:,} {things} had come from the server before your first one came out{how}",
            25 if buffered else 11,
        )  # fmt: skip
    elif crash:
        report.bad(asked, f"on {MANY:,} rows {told(crash)}", why="It must work on a large table as on a small one.")
    elif seen["peak"] > MEMORY_ALLOWED:
        report.bad(asked, f"on {MANY:,} rows memory grew by about {round(seen['peak'], -1):.0f} MiB", 11)
    else:
        report.good(asked)


def closing(report, bench, left, name, *arguments, thing="row", stop=STOP_AT):
    """Connections are closed at the end (`left`: those open after a full run), and when the consumer stops early."""
    asked = "its connection is closed at the end, and when you stop early"
    if left:
        report.bad(asked, f"after the last {thing}, {connections(left)} still open {STILL_OPEN:.0f} s later", 17)
        return
    for how in ("close", "raise"):
        seen = bench.stream("many", name, *arguments, stop=stop, how=how)
        left = bench.still_open(seen)
        what = "you stopped" if how == "close" else "an error in your loop"
        after = f"after {what} at {thing} {stop}"
        error = seen["error"]
        if error and "Unread result" in error["text"]:
            also = f", and {connections(left)} still open" if left else ""
            report.bad(asked, f"{after}, closing raised {error['type']}: {error['text']}{also}", 30)
            return
        if error:
            report.bad(asked, f"{after}, {told(error)}", why="Stopping early is no error: break must work.")
            return
        if left:
            report.bad(asked, f"{after}, {connections(left)} still open {STILL_OPEN:.0f} s later", 3)
            return
    report.good(asked)


def connections(count):
    """Say how many connections were, for a sentence that goes on with "open"."""
    return "your connection was" if count == 1 else f"{count} of your connections were"


def errors(report, bench, do, name, *arguments, things="users", whole=True):
    """A server that is away, or lost on the way, comes out as an error; `whole` says that it reads the whole table."""
    asked = "a server that is away, or lost on the way, is an error that says so"
    how = {"limit": MANY + 10, "keep": 50} if do == "stream" else {}
    for lost in (False, True) if whole else (False,):
        bench.fill("many")
        if lost:
            bench.proxy.lose_after = LOST_AFTER
        else:
            bench.proxy.be_away()
        seen = bench.watched(do, name, *arguments, **how)
        passed = seen["passed"].rows
        error = seen["error"]
        if lost and not error and passed < LOST_AFTER:
            continue  # it does not read that far
        when = f"with the server lost after {LOST_AFTER:,} of {MANY:,} {things}" if lost else "with the server away"
        if error is None:
            report.bad(asked, f"{when}, {ending(do, seen)}", 5)
            return
        of_none = error["type"] in ("AttributeError", "TypeError") and "None" in error["text"] and not error["driver"]
        if error["type"] in HIDING or of_none and any(map(of_database, error["chain"][1:])):
            report.bad(asked, f"{when}, what came out was {error['type']}: {error['text']}", 18)
            return
        if of_none:
            report.bad(asked, f"{when}, the real error was dropped, and then {told(error)}", 5)
            return
        if error["type"] in CRASHES or error["type"] == "SystemExit":
            why = "Only the caller knows what to do then: raise the error."
            report.bad(asked, f"{when}, {told(error)}", why=why, lesson="02")
            return
    report.good(asked)


def of_database(classes):
    """Whether one of an error's classes (names) is a driver's."""
    return any(name.startswith(("mysql.", "pymysql.", "MySQLdb.")) for name in classes)


def ending(do, seen):
    """Say how a function ended that should have raised an error."""
    if do == "call":
        if seen.get("iterator") or seen.get("value") is not None:
            return f"it returned {shown(seen.get('value'))} as if all were well"
        return "it returned as if all were well"
    if None in seen["items"]:
        return "it gave None in the place of a user, and no error"
    if "value" in seen:
        return f"it returned {shown(seen['value'])} as if all were well"
    return "it ended as if that were all" if seen["count"] else "it ended as if the table were empty"


def shown(value, most=60):
    """Show a value that came from the learner's process in a sentence, in at most so many characters."""
    return shortened(repr(_as_it_was(value)), most)


class _Text(str):
    """A text that is shown without quotes."""

    __repr__ = str.__str__


def _as_it_was(value):
    """Return a value with what runner.plain() could not send as it looked there: ("object", type, its repr)."""
    if isinstance(value, dict):
        return {_as_it_was(key): _as_it_was(item) for key, item in value.items()}
    if isinstance(value, tuple) and len(value) == 3 and value[0] == "object":
        return _Text(value[2] or f"a {value[1]}")
    if isinstance(value, (list, tuple)):
        return type(value)(map(_as_it_was, value))
    return value


def shortened(text, most):
    """Return a text of at most so many characters, in one line; dots where something was left out."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"


def ordered(report, queries, mistake):
    """Pages and batches that are cut by LIMIT have an order. Nothing is said where LIMIT is not used."""
    cut = [q for q in queries if re.search(r"\bLIMIT\b", q.bare)]
    if not cut:
        return
    asked = "its pages come in a fixed order"
    for query in cut:
        alone = not re.search(r"\bOFFSET\b|\bWHERE\b|LIMIT [^ ]+ ?,", query.bare)
        if not alone and "ORDER BY" not in query.bare:
            report.bad(asked, f"the server was sent: {shortened(query.text, 120)}", mistake)
            return
    one_of_a_kind(report, asked, [query for query in cut if "ORDER BY" in query.bare])


def one_of_a_kind(report, asked, queries):
    """Pages are ordered by something that no two users share: `queries` have an ORDER BY each."""
    ties = next((q for q in queries if not re.search(r"USER_ID|EMAIL|\b1\b", q.bare.rpartition("ORDER BY")[2])), None)
    if ties:
        report.bad(asked, f"the server was sent: {shortened(ties.text, 120)}",
                   why="Users that are equal in that have no order among them, and may change places from page to "
                   "page. Add user_id to it.", lesson="04")  # fmt: skip
    else:
        report.good(asked)


# Task 1 ---------------------------------------------------------------------------------------------------------------


def stream_users(look):
    """Look at stream_users()."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "02"
    asked = "it gives every user, once"
    seen = bench.stream("people", name, limit=3 * len(PEOPLE) + 10)
    first_run(report, seen, asked)
    needs_iterable(report, seen, asked, "something to go through: a generator")
    left = bench.still_open(seen)
    users = [user(item) for item in seen["items"]]
    if None in users and not any(users):
        report.bad(asked, f"the first thing that came was {shown(seen['items'][0])}", why="Each item is one user.")
        return
    told_difference = difference(users, PEOPLE)
    if not seen["ended"]:
        told_difference = f"it had given {seen['count']} users out of {len(PEOPLE)}, and went on"
    if told_difference:
        report.bad(asked, told_difference, why="What is left out or comes twice makes every later figure wrong.")
    else:
        report.good(asked)
    stays(report, seen)
    if look.from_step(2):
        dicts(report, seen["items"], ages=look.step is not None)
    if seen["ended"]:
        edges(report, bench, name, "an empty table gives no user, one row gives one")
    memory(report, bench, name)
    if look.from_step(3):
        closing(report, bench, left, name)
    if look.step is not None and look.step >= 4:
        rest_is_left(report, bench, name)
    if look.from_step(3):
        errors(report, bench, "stream", name)
        ordered(report, seen["passed"].selects, 14)


def stays(report, seen, thing="user"):
    """What was given stays as it was when it came: no dict or list is used again for the next one."""
    if seen["changed"] is not None:
        was = shown(seen["items"][seen["changed"]])
        observed = f"the first {thing} was {was} when it came, and another one afterwards"
        report.bad(f"each {thing} stays as it was, for those who keep it", observed, 31)


def rest_is_left(report, bench, name, *arguments, thing="row", stop=STOP_AT):
    """Whoever stops early does not wait for the rest of the table."""
    asked = "when you stop early, the rest of the table is not read"
    seen = bench.stream("many", name, *arguments, stop=stop)
    if seen["error"]:
        report.bad(asked, f"after you stopped at {thing} {stop}, {told(seen['error'])}", 30)
    elif seen["passed"].rows >= ROWS_ALLOWED:
        report.bad(asked, f"after you stopped at {thing} {stop}, closing read the rest of {MANY:,} rows", 36)
    else:
        report.good(asked)


def dicts(report, items, ages=False):
    """Each user is a dict; with `ages`, the age is an int."""
    asked = f"each user is a dict with user_id, name, email and age{', an int' if ages else ''}"
    wrong = [item for item in items if not isinstance(item, dict)]
    if wrong:
        is_object = isinstance(wrong[0], tuple) and wrong[0][:1] == ("object",)  # as runner.plain() writes it
        kind = wrong[0][1] if is_object else type(wrong[0]).__name__
        report.bad(asked, f"the first user was a {kind}: {shown(wrong[0])}", 8)
    elif any(set(item) != {"user_id", "name", "email", "age"} for item in items):
        keys = ", ".join(map(str, items[0]))
        report.bad(asked, f"the first user has the keys {keys}", why="The next step looks for all four.")
    elif ages and type(items[0]["age"]) is not int:
        report.bad(asked, f"the first user's age was {shown(items[0]['age'])}",
                   why="The server sends an age as text or as a Decimal. int(…) makes a number of it.")  # fmt: skip
    else:
        report.good(asked)


def edges(report, bench, name, asked, *arguments, flat=lambda items: items):
    """An empty table gives nothing, one row gives one."""
    for data, wanted in (("none", 0), ("one", 1)):
        seen = bench.stream(data, name, *arguments, limit=50)
        found = len(list(flat(seen["items"]))) if not seen["error"] else None
        on = "an empty table" if data == "none" else "one row"
        if seen["error"]:
            report.bad(asked, f"on {on} {told(seen['error'])}", why="A table is empty on the day it is made.")
            return
        if not found == seen["count"] == wanted or not seen["ended"]:
            given = f"{seen['count']} items" + ("" if seen["ended"] else " and went on")
            why = (
                "Users at the end of the table are lost, and nothing says so."
                if found < wanted
                else "The loop behind it takes each item for what the table holds."
            )
            report.bad(asked, f"{on} gave {given}, as {shown(seen['items'][:1])}", why=why)
            return
    report.good(asked)


# Task 2 ---------------------------------------------------------------------------------------------------------------


def stream_users_in_batches(look):
    """Look at stream_users_in_batches(batch_size)."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "03"
    asked = f"it gives lists of batch_size users, the last one what is left ({batch_sizes(BATCH)})"
    seen = bench.stream("people", name, BATCH, limit=2 * len(PEOPLE))
    first_run(report, seen, asked)
    needs_iterable(report, seen, asked, "something to go through: a generator")
    left = bench.still_open(seen)
    queries = seen["passed"].selects
    right = batches(report, bench, name, seen, asked)
    if right:
        stays(report, seen, "batch")
    if seen["ended"]:
        edges(report, bench, name, "an empty table gives no batch, one row gives one", BATCH, flat=flat)
    memory(report, bench, name, 100, limit=MANY + 10 if right else 10)
    if look.step is not None and look.step >= 2:
        refusals(look, "batch_size")
    if look.from_step(3):
        closing(report, bench, left, name, 100, thing="batch", stop=2)
        errors(report, bench, "stream", name, 100)
        ordered(report, queries, 14)


REFUSED = {"TypeError": ("300", 2.5, None, True), "ValueError": (0, -1)}


def refusals(look, what, *others, also=()):
    """Values that are no positive int are refused at the call; `also`: (what, arguments, error) that are, too."""
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
        if look.harness.proxy.seen.selects:
            look.fail(f"it was refused, but first the server was sent: {look.harness.proxy.seen.selects[0].text[:80]}")


def batch_sizes(batch_size):
    """Write the sizes of the batches of all people: "5, 5, 5, 5, 3"."""
    whole, rest = divmod(len(PEOPLE), batch_size)
    return ", ".join(map(str, [batch_size] * whole + [rest] * (rest > 0)))


def flat(items):
    """Give the users of batches; a user among them is one as well."""
    for item in items:
        yield from item if isinstance(item, (list, tuple)) and user(item) is None else [item]


def batches(report, bench, name, seen, asked):
    """Look at what came as batches; say whether they are as they should be."""
    everyone = "it goes on to the last user"
    items = seen["items"]
    users = [user(item) for item in flat(items)]
    right = True
    if not items:
        report.bad(asked, "no batch came", why="All users are asked for.")
        return False
    strange = [item for item in items if not isinstance(item, (list, tuple))]
    first = items[0]
    if first is not None and (user(first) is not None or not isinstance(first, (list, tuple))):
        report.bad(asked, f"the first thing that came was one user: {shown(first)}", 15)
        right = False
    elif strange:
        report.bad(asked, f"among the batches came {shown(strange[0])}", why="Whoever works on batches expects lists.")
        right = False
    else:
        sizes = ", ".join(str(len(item)) for item in items[:8]) + (", …" if len(items) > 8 else "")
        if len(set(users)) < len(users) and seen["ended"]:
            report.bad(asked, f"the batches had {sizes} users: each holds those of the batches before it", 21)
            right = False
        elif any(len(item) != BATCH for item in items[:-1]) or not 0 < len(items[-1]) <= BATCH:
            report.bad(asked, f"the batches had {sizes} users", why="Whoever asks for batches of 5 counts on 5.")
            right = False
        elif not all(isinstance(item, dict) for item in flat(items)):
            report.bad(asked, f"a user was {shown(next(iter(flat(items))))}", 8)
        else:
            again = bench.stream("people", name, len(PEOPLE), limit=10)
            came = [len(item) for item in again["items"] if isinstance(item, (list, tuple))]
            if again["error"] or came != [len(PEOPLE)] and set(users) == set(PEOPLE):
                what = told(again["error"]) if again["error"] else f"came lists of {', '.join(map(str, came))}"
                why = "A size that divides the number of users must not leave an empty batch at the end."
                report.bad(asked, f"for a batch_size of {len(PEOPLE)}, as many as there are users, {what}", why=why)
                right = False
            else:
                report.good(asked)
    if not seen["ended"]:
        seen_so_far = f"it had given {len(users)} users out of {len(PEOPLE)}, and went on"
        report.bad(everyone, seen_so_far, why="The loop never ends.")
        return False
    missing = set(PEOPLE) - set(users)
    if missing and len(users) == min(BATCH, len(PEOPLE)):
        report.bad(everyone, f"only the first {len(users)} of {len(PEOPLE)} users came", 16)
    elif missing or not set(users) <= set(PEOPLE):
        report.bad(everyone, difference(set(users), PEOPLE), why="All users are asked for.")
    else:
        report.good(everyone)
    return right


def batch_processing(look):
    """Look at batch_processing(batch_size)."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "03"
    asked = "it prints users when it is called"
    seen = bench.call("people", name, BATCH)
    first_run(report, seen, asked)
    left = bench.still_open(seen)
    queries = seen["passed"].selects
    given = [] if seen.get("value") is None else seen["value"]
    if seen["iterator"]:
        given = seen["items"]
        if seen["printed_before"]:
            report.good(asked)
        else:
            report.bad(asked, "the call printed nothing: it gave a generator", 13)
    elif seen["printed"].strip():
        report.good(asked)
    else:
        what = "a " + type(given).__name__ if given else "nothing"
        why = "Task 2 asks for each of these users to be printed."
        report.bad(asked, f"the call printed nothing and returned {what}", why=why)
    # what was printed and what was given count alike: where they come is the line above
    text = seen["printed"] or "\n".join(map(str, given if isinstance(given, (list, tuple)) else [given]))
    times = {person: max(len(re.findall(rf"{re.escape(word)}\b", text)) for word in person[:3]) for person in PEOPLE}
    over, others = "it takes users over 25, and no others", "it goes through every batch, and prints each user once"
    wrong = [person for person, count in times.items() if count and person[3] <= 25]
    if wrong and all(person[3] == 25 for person in wrong):
        who = f"{len(wrong)} users who are" if len(wrong) > 1 else f"{wrong[0][1]}, who is"
        report.bad(over, f"it printed {who} just 25", 19)
    elif wrong:
        report.bad(over, f"it printed {wrong[0][1]}, who is {wrong[0][3]}", why="Task 2 asks for users over 25.")
    else:
        report.good(over)
    missing = [person for person in OVER_25 if not times[person]]
    repeated = [person for person in OVER_25 if times[person] > 1]
    printed = {person for person, count in times.items() if count}
    if missing and printed and (printed <= set(sorted(PEOPLE)[:BATCH]) or printed <= set(PEOPLE[:BATCH])):
        report.bad(others, f"with a batch_size of {BATCH}, only users of the first batch were printed", 16)
    elif missing:
        what = f"{len(missing)} of {len(OVER_25)} users over 25 were missing"
        report.bad(others, what, why="All of them are asked for.")
    elif repeated:
        report.bad(others, f"{repeated[0][1]} was printed {times[repeated[0]]} times", 21)
    else:
        report.good(others)
    if look.from_step(2):
        ends(report, bench, left, "it leaves no connection open")
    if look.step is not None and look.step >= 2:
        broken_pipe(look)
    if look.from_step(3):
        errors(report, bench, "call", name, 100, whole=16 not in report.mistakes)
        ordered(report, queries, 14)


def broken_pipe(look):
    """When print fails on the way, no connection is left open, even where the error is kept."""

    def fail_in_print(function, batch_size):
        import builtins

        lines = []

        def failing(*values, **_):
            lines.append(values)
            if len(lines) == 3:
                raise BrokenPipeError("nobody reads")

        printing, builtins.print = builtins.print, failing
        try:
            function(batch_size)
        except BrokenPipeError as error:
            globals()["kept_by_the_caller"] = error
        finally:
            builtins.print = printing
        return len(lines)

    look.harness.fill("many")
    with look.asks("when print fails on the way, its connection is closed all the same"):
        printed = look.run(fail_in_print, 100)
        if printed >= 3 and look.harness.proxy.open(STILL_OPEN):
            look.fail("after a BrokenPipeError in print(), its connection was still open", 3)


def ends(report, bench, left, asked):
    """No connection is open after a call."""
    if left:
        report.bad(asked, f"after the call, {connections(left)} still open {STILL_OPEN:.0f} s later", 17)
    else:
        report.good(asked)


# Task 3 ---------------------------------------------------------------------------------------------------------------

INJECTED = "1; DROP TABLE user_data"
LARGE_PAGE = 1000


def paginate_users(look):
    """Look at paginate_users(page_size, offset)."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "04"
    asked = "it gives the page asked for: page_size users from offset on"
    seen = bench.call("people", name, BATCH, 0)
    first_run(report, seen, asked)
    left, queries = bench.still_open(seen), seen["passed"].selects
    pages = [seen]
    for offset in range(BATCH, len(PEOPLE) + BATCH, BATCH):
        pages.append(bench.call("people", name, BATCH, offset))
    broken = next((page for page in pages if page["error"]), None)
    values = [page.get("items") or page.get("value") for page in pages]
    strange = [page for page in values if page is not None and not isinstance(page, (list, tuple))]
    lists = not broken and not strange
    users = [user(item) for page in values for item in (page or [])] if lists else []
    sizes = ", ".join(str(len(page or [])) for page in values) if lists else ""
    if broken:
        report.bad(asked, told(broken["error"]), why="The last page is shorter, and the one behind it is empty.")
    elif strange:
        report.bad(asked, f"it gave {shown(strange[0])}", why="A page is a list of users.")
    elif sizes != batch_sizes(BATCH) + ", 0" or set(users) != set(PEOPLE):
        what = f"pages of {BATCH} had {sizes} users. {difference(users, PEOPLE)}".strip(" .")
        report.bad(asked, what, why="Each user is on one page.")
    else:
        report.good(asked)
    if lists and any(values):
        dicts(report, [item for page in values if page for item in page], ages=look.step is not None)
    order_and_values(report, bench, queries, "call", name, 0)
    ends(report, bench, left, "it leaves no connection open")
    if look.step is not None and look.step >= 2:
        refusals(look, "page_size", 0, also=[((BATCH, -1), "ValueError"), ((BATCH, 2.5), "TypeError"),
                                             ((BATCH, "3"), "TypeError")])  # fmt: skip
    if not look.from_step(3):
        return
    far = bench.call("many", name, BATCH, 0)
    if far["passed"].rows >= ROWS_ALLOWED:
        report.bad("it fetches its page, and not the table", f"for a page of {BATCH} users, all {MANY:,} were fetched",
                   why="Each page then costs as much as the whole table, in time and in memory.")  # fmt: skip
    errors(report, bench, "call", name, 2 * LOST_AFTER, 0)


def order_and_values(report, bench, queries, do, name, *arguments):
    """Pages have an order, and what the caller gives stays a value."""
    asked = "its pages come in a fixed order"
    loose = next((q for q in queries if "ORDER BY" not in q.bare and not q.bare.startswith("SELECT COUNT(")), None)
    if loose:
        report.bad(asked, f"the server was sent: {shortened(loose.text, 120)}", 1)
    else:
        one_of_a_kind(report, asked, [query for query in queries if "ORDER BY" in query.bare])
    asked = "what it is given stays a value, and is not run as SQL"
    how = {"limit": 3} if do == "stream" else {}
    given = {"page_size": (INJECTED, *arguments)} | ({"offset": (BATCH, INJECTED)} if arguments else {})
    for what, values in given.items():
        seen = bench.watched(do, name, *values, **how)
        sent = next((q for q in seen["passed"].queries if "DROP TABLE" in q.bare), None)
        bench.fill("people")
        if sent:
            report.bad(asked, f"given {what}={INJECTED!r}, it sent the server: {' '.join(sent.text.split())[-90:]}", 2)
            return
    report.good(asked)


def lazy_pagination(look):
    """Look at lazy_pagination(page_size)."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "04"
    asked = f"it gives page after page, to the last ({batch_sizes(BATCH)} users)"
    seen = bench.stream("people", name, BATCH, limit=len(PEOPLE), steps=1)
    first_run(report, seen, asked)
    needs_iterable(report, seen, asked, "something to go through: a generator")
    left, queries = bench.still_open(seen), seen["passed"].selects
    items = seen["items"]
    users = [user(item) for item in flat(items)]
    lists = all(isinstance(item, (list, tuple)) for item in items)
    sizes = ", ".join(str(len(item)) for item in items[:8]) if lists else ""
    if not lists:
        report.bad(asked, f"the first thing that came was {shown(items[0])}", why="A page is a list of users.")
    elif not seen["ended"] and len(items) > 1 and items[0] == items[1]:
        report.bad(asked, "page 2 was page 1 again, and so were all that followed", 22)
    elif not seen["ended"]:
        what = f"it had given {len(items)} pages, and went on"
        report.bad(asked, what, why="Behind the last page the loop must end.")
    elif sizes != batch_sizes(BATCH) or set(users) != set(PEOPLE):
        what = f"the pages had {sizes} users. {difference(users, PEOPLE)}".strip(" .")
        report.bad(asked, what, why="Each user is on one page.")
    else:
        report.good(asked)
    if seen["ended"]:
        edges(report, bench, name, "an empty table gives no page, one row gives one", BATCH, flat=flat)
    asked = "it asks for a page only when you do"
    first = bench.stream("many", name, LARGE_PAGE, limit=3, steps=1)
    if first["sent"] and first["sent"][0] >= ROWS_ALLOWED:
        report.bad(asked, f"all {MANY:,} users had come from the server before your first page came out", 11)
    elif first["asked"] and first["asked"][0] > 2:
        report.bad(asked, f"{first['asked'][0]} queries had been sent before your first page came out",
                   why="The pages behind the first may never be wanted.")  # fmt: skip
    else:
        report.good(asked)
    if look.step is not None and look.step >= 2:
        refusals(look, "page_size")
    if not look.from_step(3):
        return
    order_and_values(report, bench, queries, "stream", name)
    closing(report, bench, left, name, LARGE_PAGE, thing="page", stop=2)
    errors(report, bench, "stream", name, LARGE_PAGE)
    changed_while_paging(report, bench, name)


def changed_while_paging(report, bench, name):
    """Say what a change of the table between two pages does: no fault of the learner's, for Task 3 asks for OFFSET."""

    def remove_the_first(number):
        if number == 1:
            bench.execute("DELETE FROM user_data ORDER BY user_id LIMIT 3")

    seen = bench.stream("people", name, BATCH, limit=20, steps=1, on_item=remove_the_first)
    came = {user(item) for item in flat(seen["items"])}
    skipped = set(sorted(PEOPLE)[BATCH:]) - came
    if skipped and not seen["error"] and seen["ended"]:
        report.note(
            f"when 3 users of page 1 were removed between two pages, {len(skipped)} others were skipped: "
            "OFFSET counts rows. Paging by key (lesson 04) skips none"
        )


# Task 4 ---------------------------------------------------------------------------------------------------------------

AGES = [person[3] for person in PEOPLE]
AVERAGE = sum(AGES) / len(AGES)
BYTES_A_ROW = 4  # half of a list's reference to one age
BY_ZERO = ("ZeroDivisionError", "DivisionByZero", "DivisionUndefined", "InvalidOperation")


def stream_user_ages(look):
    """Look at stream_user_ages()."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "05"
    asked = "it gives every age, as a number"
    seen = bench.stream("people", name, limit=3 * len(PEOPLE) + 10)
    first_run(report, seen, asked)
    needs_iterable(report, seen, asked, "something to go through: a generator")
    left, queries = bench.still_open(seen), seen["passed"].selects
    ages = seen["items"]
    strange = next((age for age in ages if isinstance(age, (tuple, list, dict, str)) or age is None), None)
    if strange is not None or None in ages:
        report.bad(asked, f"an age was {shown(strange)}", why='sum() and / need numbers: row[0], or row["age"].')
    elif not seen["ended"]:
        what = f"it had given {seen['count']} ages out of {len(AGES)}, and went on"
        report.bad(asked, what, why="The loop never ends.")
    elif told_difference := difference(map(number, ages), AGES, "ages"):
        report.bad(asked, told_difference, why="The average is over all users.")
    else:
        report.good(asked)
    if seen["ended"]:
        edges(report, bench, name, "an empty table gives no age, one row gives one")
    few = "it reads the table with few queries"
    slow = len(queries) >= len(PEOPLE)
    if slow:
        report.bad(few, f"{len(AGES)} ages took {len(queries)} queries", 23)
    else:
        report.good(few)
    memory(report, bench, name, things="ages", limit=100 if slow else MANY + 10)
    if not look.from_step(2):
        return
    closing(report, bench, left, name)
    if not look.from_step(3):
        return
    errors(report, bench, "stream", name, things="ages")
    if not slow:
        ordered(report, queries, 14)


def calculate_average_age(look):
    """Look at calculate_average_age()."""
    report, bench, name = look.report, look.harness, look.name
    report.lesson = "05"
    asked = "the average that it prints or returns is right"
    seen = bench.call("people", name)
    first_run(report, seen, asked)
    left, queries = bench.still_open(seen), seen["passed"].selects
    said = average_said(seen)
    if said is None:
        report.bad(asked, f"it printed {shown(seen['printed'])} and returned {shown(seen.get('value'))}",
                   why="Task 4 asks for \"Average age of users: …\".")  # fmt: skip
    elif abs(said - AVERAGE) > 0.06:
        cut = ": what is behind the point is gone" if said == int(AVERAGE) else ""
        years = f"{sum(AGES)} years of {len(AGES)} users make {AVERAGE:.2f}"
        report.bad(asked, f"it said {said:g}, where {years}{cut}", 24)
    else:
        report.good(asked)
    if look.from_step(2):
        empty_table(report, bench, name)
    asked = "it averages what your generator gives"
    by_server = next((q for q in queries if re.search(r"\b(AVG|SUM) ?\(", q.bare)), None)
    if by_server:
        report.bad(asked, f"the server was sent: {shortened(by_server.text, 120)}",
                   why="Task 4 is to do without the server's AVG. Lesson 05 says when to use it.")  # fmt: skip
    else:
        report.good(asked)
    if not look.from_step(3):
        return
    if len(queries) >= len(PEOPLE):
        report.bad("it reads the table with few queries", f"{len(AGES)} ages took {len(queries)} queries", 23)
    ends(report, bench, left, "it leaves no connection open")
    if len(queries) < len(PEOPLE):
        errors(report, bench, "call", name, things="ages")
        no_list(report, bench, name)


def empty_table(report, bench, name):
    """An empty table is told of, and divides nothing by zero."""
    asked = "an empty table is no division by zero"
    empty = bench.call("none", name)
    if empty["error"] and empty["error"]["type"] in BY_ZERO:
        report.bad(asked, f"on an empty table {told(empty['error'])}", 10)
    else:
        report.good(asked)
        if not empty["error"] and average_said(empty) == 0:
            report.note("on an empty table it says 0: there is no average then, and 0 looks like one")


def no_list(report, bench, name):
    """Memory does not grow with the table: half of the rows take as much as all of them."""
    asked = "it holds a total and a count, not the ages"
    whole = bench.call("many", name, trace=True)
    bench.execute("DELETE FROM user_data WHERE age > 50")
    half = bench.watched("call", name, trace=True)
    if whole["error"] or half["error"]:
        report.bad(asked, f"on {MANY:,} rows {told(whole['error'] or half['error'])}",
                   why="It must work on a large table as on a small one.")  # fmt: skip
    elif (whole["traced"] - half["traced"]) / (MANY / 2) > BYTES_A_ROW:
        report.bad(asked, f"memory grew with the table: {MANY:,} rows took more than {MANY // 2:,}",
                   why="A list of all ages grows with the table. A running total and a count do not.")  # fmt: skip
    else:
        report.good(asked)


def average_said(seen):
    """Return the average (float) of the line that was printed about it, or that was returned; None without one."""
    lines = [re.findall(r"-?\d+(?:\.\d+)?", line) for line in seen["printed"].splitlines() if "average" in line.lower()]
    if any(lines):
        found = next(found for found in reversed(lines) if found)
        return min(map(float, found), key=lambda said: abs(said - AVERAGE))  # the number of users may stand beside it
    try:
        return float(number(seen.get("value")))
    except (TypeError, ValueError):
        found = re.findall(r"-?\d+(?:\.\d+)?", seen["printed"])
        return float(found[-1]) if found else None
