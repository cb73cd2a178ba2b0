"""Lesson 04: the checks of paging by key, by user_id and by age."""

import re
from itertools import pairwise

from helpers.check import rules, task3
from helpers.check.harness import PEOPLE
from helpers.check.look import exercise
from helpers.check.task2 import BATCH, batch_sizes
from helpers.check.words import difference, shortened, shown, user

BY_AGE = sorted((age, user_id) for user_id, _, _, age in PEOPLE)
SMALL = 3  # users a page: does not divide the users of one age, so that pages end among them


@exercise("04", server=True, title="pages by key")
def lazy_pagination_by_key(look):
    """Check lazy_pagination_by_key(page_size): page after page, each by the last key of the one before."""
    asked = f"it gives page after page, to the last ({batch_sizes(BATCH)} users)"
    observed, left = rules.streamed(look, asked, BATCH, limit=len(PEOPLE), steps=1)
    queries = observed["passed"].selects
    with look.asks(asked, must=True, why="Each user is on one page."):
        go_on(look, observed)
    rules.edges(look, "an empty table gives no page, one row gives one", BATCH, flat=rules.flat)
    task3.as_you_ask(look)
    by_key(look, queries)
    task3.order_and_values(look, queries, "stream")
    emptied(look, BATCH)
    changed(look, BATCH, sorted(PEOPLE))
    rules.ends(look, left)


@exercise("04", server=True, title="pages_by_age(page_size)")
def pages_by_age(look):
    """Check pages_by_age(page_size): the youngest first, and users of one age by user_id, by a key of two columns."""
    observed, left = rules.streamed(look, "it gives page after page", SMALL, limit=4 * len(PEOPLE), steps=1)
    queries = observed["passed"].selects
    with look.asks("it gives page after page, and ends", must=True):
        strange = [page for page in observed["items"] if not isinstance(page, (list, tuple)) or user(page) is not None]
        if strange:
            look.fail(f"a page was {shown(strange[0])}", why="A page is a list of users.")
        if not observed["ended"]:
            look.fail(f"it had given {observed['count']} pages of {SMALL} for {len(PEOPLE)} users, and went on")
    with look.asks("each user comes once, the youngest first, and by user_id within an age", must=True):
        in_order(look, observed["items"])
    rules.dicts(look, [item for page in observed["items"] for item in page], ages=True)
    task3.as_you_ask(look)
    by_key(look, queries)
    with look.asks("its order is unique", why="Among users of one age the server may choose, differently each time."):
        loose = [q for q in queries if "USER_ID" not in q.bare.rpartition("ORDER BY")[2]]
        if loose:
            look.fail(f"the server was sent: {shortened(loose[0].text, 120)}")
    changed(look, SMALL, sorted(PEOPLE, key=lambda person: (person[3], person[0])))
    rules.refusals(look, "page_size")
    rules.ends(look, left)


NINE = ["Ada", "Bo", "Chen", "Dina", "Emeka", "Fatou", "Goran", "Hana", "Ines"]  # the lesson's, by user_id


@exercise("04", title="twice_and_never()")
def twice_and_never(look):
    """Check twice_and_never(): who comes twice, and who never, when another index is read from page 2 on."""
    came = NINE[:3] + NINE[::-1][3:]  # the first page of the old order, the rest of the new one
    with look.asks("it gives two lists of names", must=True):
        found = look.call()
        if found is None:
            look.fail("it gave None: is a return missing?")
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            look.fail(f"it gave {shown(found, 60)}", why="Two lists are asked for: who comes twice, who never.")
        for names in found:
            if not isinstance(names, (list, tuple)) or not {*names} <= {*NINE}:
                look.fail(f"{shown(names, 60)} is not a list of names of the nine users")
    twice, never = found
    with look.asks("the first one has those who come twice", why="Their work is done twice."):
        _names(look, "who comes twice", twice, [n for n in NINE if came.count(n) == 2], "does not come twice")
    with look.asks("the second one has those who never come", why="Nobody misses them: the count is right."):
        _names(look, "who never comes", never, [n for n in NINE if n not in came], "comes")


def _names(look, who, found, wanted, but):
    if not found:
        look.fail(f"{who}: you name nobody")
    if wrong := [name for name in NINE if name in found and name not in wanted]:
        look.fail(f"{who}: {wrong[0]} {but}")
    if len({*found}) < len(wanted):
        look.fail(f"{who}: there are more than {', '.join(sorted(found))}")


def go_on(look, observed):
    """Fail unless each page goes on where the one before it ended, to the last user."""
    pages = observed["items"]
    strange = [page for page in pages if not isinstance(page, (list, tuple)) or user(page) is not None]
    if strange:
        look.fail(f"the first thing that came was {shown(strange[0])}", why="A page is a list of users.")
    users = [[user(item) for item in page] for page in pages]
    for number, (page, following) in enumerate(pairwise(users), start=1):
        if page and page == following:
            look.fail(f"page {number + 1} was page {number} again",
                      why="The loop never ends, and whoever stands after page 1 is never seen.")  # fmt: skip
        if again := [person for person in page if person in following]:
            look.fail(f"{again[0][1]} came on page {number} and again on page {number + 1}"
                      if again != page[-1:] else
                      f"the last user of page {number} was the first one of page {number + 1}: {again[0][1]}",
                      why="That user is counted twice, and after the last page it goes on for ever.")  # fmt: skip
    sizes = ", ".join(str(len(page)) for page in pages[:8])
    if not observed["ended"]:
        look.fail(f"it had given {len(pages)} pages, and went on", why="After the last page the loop must end.")
    if sizes != batch_sizes(BATCH) or {person for page in users for person in page} != set(PEOPLE):
        came = [person for page in users for person in page]
        look.fail(f"the pages had {sizes} users. {difference(came, PEOPLE)}".strip(" ."))


def in_order(look, pages):
    """Fail unless the users of the pages are all people, once, in the order of age and user_id."""
    users = [user(item) for page in pages for item in page]
    if None in users:
        look.fail(f"a user was {shown(next(item for page in pages for item in page if user(item) is None))}",
                  why="A user is a dict with user_id, name, email and age.")  # fmt: skip
    keys = [(age, user_id) for user_id, _, _, age in users]
    if missing := len(set(BY_AGE) - set(keys)):
        look.fail(f"{missing} of {len(PEOPLE)} users were missing",
                  why="Who has the age of a page's last user, and a greater user_id?")  # fmt: skip
    if len(keys) > len(set(keys)):
        look.fail(f"{len(keys) - len(set(keys))} users came twice",
                  why="Who has the age of a page's last user, and was on that page already?")  # fmt: skip
    if keys != BY_AGE:
        place = next(n for n, (found, wanted) in enumerate(zip(keys, BY_AGE, strict=True)) if found != wanted)
        look.fail(f"user {place + 1} was {keys[place][0]} years old, where {BY_AGE[place][0]} is next"
                  if keys[place][0] != BY_AGE[place][0]
                  else f"two users of {keys[place][0]} years did not come in the order of user_id")  # fmt: skip
    if short := [len(page) for page in pages[:-1] if len(page) != SMALL]:
        look.fail(f"a page in the middle had {short[0]} users, not {SMALL}")


def by_key(look, queries):
    """No page is found by counting rows."""
    with look.asks("it pages by key", why="What is skipped by OFFSET is read first. A key is found at once."):
        for query in queries:
            if re.search(r"\bOFFSET\b|\bLIMIT [^ ]+ ?,", query.bare):
                look.fail(f"the server was sent: {shortened(query.text, 120)}")
        if not any("WHERE" in query.bare for query in queries):
            look.fail(f"the server was sent: {shortened(queries[-1].text, 120)}")


def emptied(look, page_size):
    """A page belongs to whoever got it."""

    def clearing(function, page_size, most):
        from itertools import islice

        count = 0
        for page in islice(function(page_size), most):
            count += len(page)
            page.clear()
        return count

    look.harness.fill("people")
    with look.asks("its pages may be emptied by those who get them", why="Take what you need before the yield."):
        found = look.run(clearing, page_size, 2 * len(PEOPLE))
        if found != len(PEOPLE):
            look.fail(f"whoever empties each page gets {found} of {len(PEOPLE)} users")


def changed(look, page_size, in_order):
    """Users that are removed between two pages leave nobody out."""

    def remove(number):
        if number == 1:
            for gone in in_order[:page_size]:
                look.harness.execute("DELETE FROM user_data WHERE user_id = %s", gone[0])

    observed = look.observe("people", page_size, limit=2 * len(PEOPLE), steps=1, on_item=remove)
    with look.asks("users that go between two pages leave nobody out"):
        skipped = set(in_order[page_size:]) - {user(item) for item in rules.flat(observed["items"])}
        if skipped:
            look.fail(f"the users of page 1 were removed after it came, and {len(skipped)} others never came")
