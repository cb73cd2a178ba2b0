"""Task 1: what is asked of stream_users(), and how it is looked at."""

from helpers.check import outages, rules
from helpers.check.harness import PEOPLE
from helpers.check.words import connections, difference, shown, user


def stream_users(look):
    """Look at stream_users()."""
    asked = "it gives every user, once"
    observed, left = rules.streamed(look, asked, limit=3 * len(PEOPLE) + 10)
    users = [user(item) for item in observed["items"]]
    if None in users and not any(users):
        look.bad(asked, f"the first thing that came was {shown(observed['items'][0])}", why="Each item is one user.")
        left_to_look_at(look, observed, left)
        return
    fault = difference(users, PEOPLE)
    if not observed["ended"]:
        fault = f"it had given {observed['count']} users out of {len(PEOPLE)}, and went on"
    if fault:
        look.bad(asked, fault, why="What is left out or comes twice makes every later figure wrong.")
    else:
        look.good(asked)
    rules.stays(look, observed)
    rules.anew(look, observed)
    if look.from_step(2):
        rules.dicts(look, observed["items"], ages=look.step is not None)
    if observed["ended"]:
        rules.edges(look, "an empty table gives no user, one row gives one")
    left_to_look_at(look, observed, left)


def left_to_look_at(look, observed, left):
    """Look at what does not depend on what came: memory, connections, errors."""
    rules.memory(look)
    if look.from_step(3):
        rules.closing(look, left)
    if look.step is not None and look.step >= 3:
        query_fails(look)
    if look.step is not None and look.step >= 4:
        rules.rest_is_left(look)
    if look.from_step(3):
        outages.errors(look, "stream")
        rules.ordered(look, observed["passed"].selects, 14)


def query_fails(look):
    """Where the query raises an error, no connection is left open, even if somebody keeps the error."""
    look.harness.fill("many")
    look.harness.execute("RENAME TABLE user_data TO user_data_away")
    observed = look.watched("stream", limit=1)
    left = look.harness.still_open(observed)
    look.harness.proxy.reset()
    look.harness.execute("RENAME TABLE user_data_away TO user_data")
    with look.asks("its connection is closed when the query fails, too"):
        if not observed["error"]:
            look.fail("the table was missing, and it ended as if it were empty", 5)
        if left:
            what = f"the table was missing, so the query raised an error, and {connections(left)} still open"
            look.fail(what, why="Somebody may keep the error, and the error keeps the connection.")
