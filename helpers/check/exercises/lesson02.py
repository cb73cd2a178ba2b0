"""Lesson 02: the check of its exercise find_user."""

from helpers.check.look import exercise

TENTH = 9  # the user to find is the tenth of the stream


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
    with look.asks("it closes the stream that it leaves", mistake=3):
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
