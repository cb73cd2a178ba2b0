"""Task 2: what is asked of stream_users_in_batches(batch_size) and batch_processing(batch_size)."""

import re

from helpers.check import outages, rules
from helpers.check.harness import MANY, PEOPLE
from helpers.check.words import difference, shown, told, user

BATCH = 5  # does not divide the number of people
OVER_25 = [person for person in PEOPLE if person[3] > 25]


def batch_sizes(batch_size):
    """Write the sizes of the batches of all people: "5, 5, 5, 5, 3"."""
    whole, rest = divmod(len(PEOPLE), batch_size)
    return ", ".join(map(str, [batch_size] * whole + [rest] * (rest > 0)))


def sizes_stay(look, queries, do):
    """Where batch_size goes to the server, it stays a value."""
    if any("LIMIT" in query.bare for query in queries):
        rules.values_stay(look, do, {"batch_size": (rules.INJECTED,)})


# stream_users_in_batches ----------------------------------------------------------------------------------------------


def stream_users_in_batches(look):
    """Look at stream_users_in_batches(batch_size)."""
    asked = f"it gives lists of batch_size users, the last one what is left ({batch_sizes(BATCH)})"
    observed, left = rules.streamed(look, asked, BATCH, limit=2 * len(PEOPLE))
    queries = observed["passed"].selects
    right = sizes(look, observed, asked)
    right = everyone(look, observed) and right
    if right:
        rules.stays(look, observed, "batch")
    rules.anew(look, observed, BATCH, thing="batch")
    if observed["ended"]:
        rules.edges(look, "an empty table gives no batch, one row gives one", BATCH, flat=rules.flat)
    rules.memory(look, 100, limit=MANY + 10 if right else 10)
    if look.step is not None and look.step >= 2:
        rules.refusals(look, "batch_size")
    if look.from_step(3):
        rules.closing(look, left, 100, thing="batch", stop=2)
        outages.errors(look, "stream", 100)
        rules.ordered(look, queries, 14)
        sizes_stay(look, queries, "stream")


def sizes(look, observed, asked):
    """Look at the sizes of the batches; tell whether they are as they should be."""
    items = observed["items"]
    if not items:
        look.bad(asked, "no batch came", why="All users are asked for.")
        return False
    strange = [item for item in items if not isinstance(item, (list, tuple))]
    first = items[0]
    if first is not None and (user(first) is not None or not isinstance(first, (list, tuple))):
        look.bad(asked, f"the first thing that came was one user: {shown(first)}", 15)
        return False
    if strange:
        look.bad(asked, f"among the batches came {shown(strange[0])}", why="Whoever works on batches expects lists.")
        return False
    users = [user(item) for item in rules.flat(items)]
    came = ", ".join(str(len(item)) for item in items[:8]) + (", …" if len(items) > 8 else "")
    if len(set(users)) < len(users) and observed["ended"]:
        look.bad(asked, f"the batches had {came} users: each holds those of the batches before it", 21)
    elif any(len(item) != BATCH for item in items[:-1]) or not 0 < len(items[-1]) <= BATCH:
        look.bad(asked, f"the batches had {came} users", why="Whoever asks for batches of 5 counts on 5.")
    elif not all(isinstance(item, dict) for item in rules.flat(items)):
        look.bad(asked, f"a user was {shown(next(iter(rules.flat(items))))}", 8)
        return True
    elif fault := in_one(look, set(users) == set(PEOPLE)):
        why = "A size that divides the number of users must not leave an empty batch at the end."
        look.bad(asked, f"for a batch_size of {len(PEOPLE)}, as many as there are users, {fault}", why=why)
    else:
        look.good(asked)
        return True
    return False


def in_one(look, whole):
    """Say what is wrong with a single batch of all users; "" if nothing. `whole`: that all of them come is known."""
    again = look.observe("people", len(PEOPLE), limit=10)
    came = [len(item) for item in again["items"] if isinstance(item, (list, tuple))]
    if again["error"]:
        return told(again["error"])
    return f"came lists of {', '.join(map(str, came))}" if came != [len(PEOPLE)] and whole else ""


def everyone(look, observed):
    """Look at whether every user is in some batch; tell whether the batches end."""
    asked = "it goes on to the last user"
    users = [user(item) for item in rules.flat(observed["items"])]
    if not users:
        return False
    if not observed["ended"]:
        so_far = f"it had given {len(users)} users out of {len(PEOPLE)}, and went on"
        look.bad(asked, so_far, why="The loop never ends.")
        return False
    missing = set(PEOPLE) - set(users)
    if missing and len(users) == min(BATCH, len(PEOPLE)):
        look.bad(asked, f"only the first {len(users)} of {len(PEOPLE)} users came", 16)
    elif missing or not set(users) <= set(PEOPLE):
        look.bad(asked, difference(set(users), PEOPLE), why="All users are asked for.")
    else:
        look.good(asked)
    return True


# batch_processing -----------------------------------------------------------------------------------------------------


def batch_processing(look):
    """Look at batch_processing(batch_size)."""
    observed = look.observe_call("people", BATCH)
    rules.first_run(look, observed, "it prints users when it is called")
    left = look.harness.still_open(observed)
    queries = observed["passed"].selects
    prints(look, observed)
    # what was printed and what was given count alike: where they come is the line above
    given = observed["items"] if observed["iterator"] else observed.get("value")
    printed = times_in(observed["printed"])
    times = printed if any(printed.values()) else times_in("\n".join(_texts(given)))
    over_25(look, times)
    all_batches(look, times)
    if look.from_step(2):
        rules.ends(look, left)
    if look.step is not None and look.step >= 2:
        broken_pipe(look)
    if look.from_step(3):
        outages.errors(look, "call", 100, whole=16 not in look.report.mistakes)
        rules.ordered(look, queries, 14)
        sizes_stay(look, queries, "call")


def times_in(text):
    """Return how many times each of the people stands in a text (a dict)."""
    return {person: max(len(re.findall(rf"{re.escape(word)}\b", text)) for word in person[:3]) for person in PEOPLE}


def _texts(given):
    """Yield the texts of what was given: users as what is in them."""
    for item in rules.flat(given if isinstance(given, (list, tuple)) else [given]):
        yield str(user(item) or item)


def prints(look, observed):
    """Look at whether the call itself prints."""
    asked = "it prints users when it is called"
    at_once = observed["printed_before"]
    if any(times_in(at_once).values()):
        look.good(asked)
        return
    nothing = "nothing" if not at_once.strip() else f"no user, but {shown(at_once.strip())},"
    if observed["iterator"]:
        look.bad(asked, f"the call printed {nothing.rstrip(',')}: it gave a generator", 13)
    else:
        given = observed.get("value")
        what = "a " + type(given).__name__ if given else "nothing"
        why = "Task 2 asks for each of these users to be printed."
        look.bad(asked, f"the call printed {nothing} and returned {what}", why=why)


def over_25(look, times):
    """Look at who was printed how many times (a dict): nobody of 25 or less."""
    asked = "it takes users over 25, and no others"
    wrong = [person for person, count in times.items() if count and person[3] <= 25]
    if wrong and all(person[3] == 25 for person in wrong):
        who = f"{len(wrong)} users who are" if len(wrong) > 1 else f"{wrong[0][1]}, who is"
        look.bad(asked, f"it printed {who} exactly 25", 19)
    elif wrong:
        look.bad(asked, f"it printed {wrong[0][1]}, who is {wrong[0][3]}", why="Task 2 asks for users over 25.")
    else:
        look.good(asked)


def all_batches(look, times):
    """Look at who was printed how many times (a dict): everybody over 25, once."""
    asked = "it goes through every batch, and prints each user once"
    missing = [person for person in OVER_25 if not times[person]]
    repeated = [person for person in OVER_25 if times[person] > 1]
    printed = {person for person, count in times.items() if count}
    if missing and printed and (printed <= set(sorted(PEOPLE)[:BATCH]) or printed <= set(PEOPLE[:BATCH])):
        look.bad(asked, f"with a batch_size of {BATCH}, only users of the first batch were printed", 16)
    elif missing:
        what = f"{len(missing)} of {len(OVER_25)} users over 25 were missing"
        look.bad(asked, what, why="All of them are asked for.")
    elif repeated:
        look.bad(asked, f"{repeated[0][1]} was printed {times[repeated[0]]} times", 21)
    else:
        look.good(asked)


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
        if look.run(fail_in_print, 100) >= 3 and look.harness.left_open():
            look.fail("after a BrokenPipeError in print(), its connection was still open", 3,
                      "The error keeps the generator, and the paused generator keeps its connection. Whoever starts a "
                      "generator closes it.")  # fmt: skip
