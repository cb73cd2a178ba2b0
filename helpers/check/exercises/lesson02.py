"""Lesson 02: the checks of its exercises, and of the async generator in "Dig deeper"."""

import asyncio

from helpers.check import outages, rules, task1
from helpers.check.harness import PEOPLE
from helpers.check.look import exercise
from helpers.check.words import difference, shown

TENTH = 9  # the user to find is the tenth of the stream


@exercise("02", server=True, title="stream_names_over(limit)")
def stream_names_over(look):
    """Check the exercise stream_names_over(limit): the names of the users over the limit, as a stream that is left."""
    asked = "it gives the name of each user over the limit, a str"
    observed, left = rules.streamed(look, asked, 25, limit=3 * len(PEOPLE))
    with look.asks(asked, must=True):
        _names(look, observed, 25)
        _names(look, look.stream("people", 90, limit=3 * len(PEOPLE)), 90)
    rules.memory(look, 0, things="names")
    rules.closing(look, left, 0, thing="name")
    rules.rest_is_left(look, 0, thing="name")
    outages.errors(look, "stream", 0, things="names")


def _names(look, observed, limit):
    """Fail unless what came are the names of those over the limit."""
    names, call = observed["items"], f"stream_names_over({limit})"
    strange = next((name for name in names if not isinstance(name, str)), None)
    if strange is not None:
        look.fail(f"{call} gave {shown(strange)}", why="Whoever asked for names gets something to take apart.")
    if not observed["ended"]:
        look.fail(f"{call} had given {observed['count']} names, and went on")
    if told := difference(names, [name for _, name, _, age in PEOPLE if age > limit], "names", "the right answer"):
        nothing = "It ended without an error, and without a name: who was told why?"
        look.fail(f"{call}: {told}", why="Over 25 means 26 and more." if names else nothing)


@exercise("02", server=True, title="find_user(email)")
def find_user(look):
    """Check find_user(email): the user with this e-mail, from stream_users(), stopped as soon as it is found."""
    look.harness.fill("people")
    with look.asks("it returns the user with this e-mail", must=True):
        observed = look.run(_watch, None)
        if not observed["streams"]:
            look.fail("it never called stream_users()", why="The exercise is about stopping that stream.")
        look.equal(observed["found"], observed["wanted"], "find_user of the tenth user's e-mail")
    with look.asks("for an e-mail that nobody has it returns None", why="A user that is not there is no error."):
        nobody = look.run(_watch, "nobody@example.com")
        if nobody["found"] is not None:
            look.fail(f"for nobody@example.com it returned {nobody['found']['name']}: who is that?"
                      if isinstance(nobody["found"], dict) and "name" in nobody["found"]
                      else f"for nobody@example.com it returned {nobody['found']!r}")  # fmt: skip
    with look.asks("it stops as soon as the user is found", why="The rest of the table may be very long."):
        if observed["taken"] > TENTH + 1:
            look.fail(f"you wanted the tenth user, and it took {observed['taken']} from the stream")
        if observed["streams"] > 1:
            look.fail(f"it called stream_users() {observed['streams']} times: each call starts again at the first user")
    why = "A paused stream keeps its connection. Whoever starts a generator closes it."
    with look.asks("it closes the stream that it leaves", why, mistake=3):
        if observed["open"]:
            look.fail("find_user had returned, and the stream was still paused, with its connection open")


def _watch(find_user, email):
    """Run find_user in the learner's process on a stream_users that is counted, and held on to as a traceback would.

    Without an e-mail it looks for the tenth user of the stream.
    """
    from contextlib import closing

    names = find_user.__globals__
    if "stream_users" not in names:
        return {"streams": 0}
    real, held, taken, ended = names["stream_users"], [], [], []
    wanted = list(real())[9]

    def counted():
        with closing(real()) as users:
            try:
                for user in users:
                    taken.append(user["email"])
                    yield user
            finally:
                ended.append(True)

    def stream_users():
        held.append(counted())
        return held[-1]

    names["stream_users"] = stream_users
    try:
        found = find_user(email or wanted["email"])
        return {"found": found, "wanted": wanted, "taken": len(taken), "streams": len(held),
                "open": len(held) - len(ended)}  # fmt: skip
    finally:
        names["stream_users"] = real
        for stream in held:
            stream.close()


# The async generator --------------------------------------------------------------------------------------------------

IS_NONE = {
    "coroutine": "it gave a coroutine: there is no yield in it",
    "generator": "it gave a generator that is not async: def, where async def is meant",
    "NoneType": "it gave None: is a yield missing?",
}
READ_ON = 2_000  # users to take of the large table: more than fits into what lies between the server and a program


class OneByOne:
    """An async generator function as a generator function: each next() runs an event loop until the item is there.

    So it is looked at as any stream of Task 1.
    """

    def __init__(self, function):
        self.function = function

    def __call__(self):
        with asyncio.Runner() as runner:
            run = runner.get_loop().run_until_complete  # runner.run() would take three times as long
            stream = self.function()
            try:
                while (item := run(_next(stream, runner))) is not runner:
                    yield item
            finally:
                run(stream.aclose())


async def _next(stream, end):
    return await anext(stream, end)


@exercise("02", server=True, title="stream_users_async()", through=OneByOne)
def stream_users_async(look):
    """Check stream_users_async(): an async generator of users, which lets others work while it waits for the server."""
    with look.asks("it is an async generator, for async for", must=True):
        kind = look.run(_kind)
        if kind != "async_generator":
            look.fail(IS_NONE.get(kind, f"it gave a value of type {kind}"))
    look.harness.fill("many")
    with look.asks("while it waits for the server, other tasks have their turn",
                   why="All tasks share one thread. A wait without await keeps it from the others."):  # fmt: skip
        first, later = look.run(_turns_of_another_task, READ_ON)
        if not first:
            look.fail("until its first user came, another task had no turn")
        if not later:
            look.fail(f"from its first user to number {READ_ON:,}, another task had no turn")
    look.step = 4  # all that the lesson asked of stream_users
    task1.stream_users(look)


def _kind(steps):
    """Return the type's name of what the function gives when it is called."""
    made = steps.function()
    if hasattr(made, "close"):
        made.close()  # a coroutine that nobody awaits would complain
    return type(made).__name__


def _turns_of_another_task(steps, users):
    """Return how many turns another task had until the first user came, and from then on until `users` had come."""
    turns = []

    async def another():
        while True:
            turns.append(True)
            await asyncio.sleep(0)

    async def count():
        beside = asyncio.create_task(another())
        await asyncio.sleep(0)
        stream, start = steps.function(), len(turns)
        try:
            await anext(stream, None)
            first = len(turns)
            for _ in range(users):
                await anext(stream, None)
            return first - start, len(turns) - first
        finally:
            beside.cancel()
            await stream.aclose()

    return asyncio.run(count())
