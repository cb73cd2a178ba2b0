"""Lesson 03: the checks of the functions that are its own, beside those of Task 2."""

from helpers.check.harness import MANY, PEOPLE
from helpers.check.look import exercise
from helpers.check.rules import ROWS_ALLOWED
from helpers.check.words import connections

SIZE = 5  # does not divide the number of people
HELD = "somebody still refers to what you stopped, as the traceback of an error does"


@exercise("03", title="batched(iterable, n)")
def batched(look):
    """Check batched(iterable, n): lists of n items of anything, one at a time."""
    with look.asks("of 7 items it makes lists of 3, 3 and 1", must=True):
        look.gives_iterator(iter(range(7)), 3)
        lists(look, kept(look, iter(range(7)), 3), [[0, 1, 2], [3, 4, 5], [6]])
    with look.asks("6 items make two lists, 0 items none", why="An empty batch is no batch: the loop behind it fails."):
        lists(look, kept(look, [1, 2, 3, 4, 5, 6], 3), [[1, 2, 3], [4, 5, 6]])
        lists(look, kept(look, [], 3), [])
    with look.asks("it takes from a generator no more than it needs", why="The stream behind it may be endless."):
        taken = look.pulled(list(range(30)), 3)
        if taken > 4:
            look.fail(f"for the first list of 3, it took {taken} of 30 items")


def kept(look, items, n):
    """Return what the learner's batched gives, kept and looked at after the end: at most 20 things."""

    def all_of(function, items, n):
        from itertools import islice

        found = list(islice(function(items, n), 20))
        return [list(batch) if isinstance(batch, (list, tuple)) else batch for batch in found]

    return look.run(all_of, items, n)


def lists(look, found, wanted):
    """Fail unless the lists that came are those wanted; say what is wrong with them."""
    strange = next((batch for batch in found if not isinstance(batch, list)), None)
    if strange is not None:
        look.fail(f"among the batches came {strange!r:.60}", why="Each batch should be a list.")
    if len(found) == 20:
        look.fail(f"it went on and on: {found[:4]} …", why="The loop never ends. What is an empty list?")
    if wanted and not any(found):
        look.fail(f"whoever keeps the lists has {found} at the end", 31)
    if found != wanted:
        look.fail(f"it gave {found}, not {wanted}")


@exercise("03", server=True, title="batches_by_hand(batch_size)")
def batches_by_hand(look):
    """Check batches_by_hand(batch_size): all users, in lists that stay as they were."""
    look.harness.fill("people")
    with look.asks("those who keep the batches still have them at the end", must=True):
        look.gives_iterator(SIZE)
        found = batches_kept(look, SIZE)
        if not any(found):
            look.fail(f"it gave {len(found)} batches, and at the end they were all empty", 31)
        if len(found) > 1 and all(batch == found[0] for batch in found):
            look.fail(f"it gave {len(found)} batches, and at the end they were one and the same list", 31)
    sizes = [len(batch) for batch in found]
    with look.asks(f"{len(PEOPLE)} users make batches of 5, 5, 5, 5 and 3", why="What is lost there, nobody misses."):
        if sizes != [5, 5, 5, 5, 3]:
            look.fail(f"the batches had {', '.join(map(str, sizes))} users")
    with look.asks("each user comes once"):
        came = [user_id for batch in found for user_id in batch]
        if sorted(came) != sorted(user_id for user_id, *_ in PEOPLE):
            look.fail(f"{len(set(came))} different users came in {len(came)} places, out of {len(PEOPLE)}")
    with look.asks("a size that divides the number of users leaves no empty batch"):
        sizes = [len(batch) for batch in batches_kept(look, len(PEOPLE))]
        if sizes != [len(PEOPLE)]:
            look.fail(f"for a batch_size of {len(PEOPLE)} came batches of {', '.join(map(str, sizes))}")
    one_at_a_time(look, SIZE)


@exercise("03", server=True, title="older_in_batches(age, batch_size)")
def older_in_batches(look):
    """Check older_in_batches(age, batch_size): full batches of users over an age, closed when it is closed."""
    look.harness.fill("people")
    right = {age: sorted(user_id for user_id, _, _, years in PEOPLE if years > age) for age in (25, 60)}
    with look.asks("it gives users older than `age`, each once", must=True):
        look.gives_iterator(25, SIZE)
        for age, wanted in right.items():
            found = batches_kept(look, age, SIZE)
            came = sorted(user_id for batch in found for user_id in batch)
            if came != wanted:
                exact = sum(years == age for *_, years in PEOPLE)
                exactly = len(came) == len(wanted) + exact
                why = f"{exact} users are exactly {age}: they are not older." if exactly else ""
                look.fail(f"for {age} came {len(came)} users, not {len(wanted)}", why=why)
    sizes = [len(batch) for batch in batches_kept(look, 25, SIZE)]
    with look.asks("each batch has exactly batch_size users, the last one what is left"):
        whole, rest = divmod(len(right[25]), SIZE)
        if sizes != [SIZE] * whole + [rest] * (rest > 0):
            look.fail(f"for batches of {SIZE} came {', '.join(map(str, sizes))}",
                      why="A filter leaves uneven batches. Cut them again behind it.")  # fmt: skip
    why = "An error at the call points to the line that is wrong."
    with look.asks("a bad size is refused when you call it", why):
        look.refuses("ValueError", f"{look.name}(25, 0)", 25, 0)
        look.refuses("TypeError", f'{look.name}(25, "40")', 25, "40")
    one_at_a_time(look, 25, 100)
    closed_early(look)


def batches_kept(look, *arguments):
    """Return the ids of the users of each batch, looked at when all batches have come."""
    found = look.run(ids_kept, *arguments)
    if isinstance(found, str):
        look.fail(f"among the batches came one user: {found:.60}", 15)
    return found


def ids_kept(function, *arguments):
    """Run in the learner's process: return the ids by batch, or what came that is no batch, as text."""
    from itertools import islice

    found = list(islice(function(*arguments), 100))
    for batch in found:
        if not isinstance(batch, (list, tuple)) or any(isinstance(user, str) for user in batch):
            return repr(batch)
    return [[str(user["user_id"] if isinstance(user, dict) else user[0]) for user in batch] for batch in found]


def one_at_a_time(look, *arguments):
    """Batches come as they are asked for."""
    with look.asks("batches come as you ask for them, and memory stays flat", mistake=11):
        observed = look.stream("many", *arguments, limit=3, keep=0, steps=1)
        if not observed["sent"]:
            look.fail("from a large table came nothing")
        if observed["sent"][0] >= ROWS_ALLOWED:
            look.fail(f"all {MANY:,} users had come from the server before your first batch came out")


def closed_early(look):
    """After one batch and close(), no connection is open, though somebody still refers to the source."""

    def one_batch(function):
        names = function.__globals__
        real = names.get("stream_users_in_batches")
        held = names["_held"] = []

        def holding(batch_size):
            held.append(real(batch_size))
            return held[-1]

        names["stream_users_in_batches"] = holding
        made = function(25, 5)
        next(made)
        made.close()

    look.harness.fill("people")
    with look.asks("closed early, it leaves no connection open", why="Whoever starts a generator closes it."):
        look.run(one_batch)
        if left := look.harness.left_open():
            look.fail(f"after one batch and close(), {connections(left)} still open, while {HELD}")
