"""Task 3: what is asked of paginate_users(page_size, offset) and lazy_pagination(page_size)."""

from helpers.check import outages, rules
from helpers.check.harness import MANY, PEOPLE
from helpers.check.task2 import BATCH, batch_sizes
from helpers.check.words import difference, shortened, shown, told, user

LARGE_PAGE = 1000

# paginate_users -------------------------------------------------------------------------------------------------------


def paginate_users(look):
    """Look at paginate_users(page_size, offset)."""
    asked = "it gives the page asked for: page_size users from offset on"
    observed = look.observe_call("people", BATCH, 0)
    rules.first_run(look, observed, asked)
    left, queries = look.harness.still_open(observed), observed["passed"].selects
    further = [look.observe_call("people", BATCH, offset) for offset in range(BATCH, len(PEOPLE) + BATCH, BATCH)]
    pages_of(look, [observed, *further], asked)
    order_and_values(look, queries, "call", 0)
    rules.ends(look, left)
    if look.step is not None and look.step >= 2:
        rules.refusals(look, "page_size", 0, also=[((BATCH, -1), "ValueError"), ((BATCH, 2.5), "TypeError"),
                                                   ((BATCH, "3"), "TypeError")])  # fmt: skip
    if not look.from_step(3):
        return
    far = look.observe_call("many", BATCH, 0)
    if far["passed"].rows >= rules.ROWS_ALLOWED:
        look.bad("it fetches its page, and not the table", f"for a page of {BATCH} users, all {MANY:,} were fetched",
                 why="Each page then costs as much as the whole table, in time and in memory.")  # fmt: skip
    outages.errors(look, "call", 2 * outages.LOST_AFTER, 0)


def pages_of(look, pages, asked):
    """Look at all the pages (what was observed of each), the one behind the last too."""
    broken = next((page for page in pages if page["error"]), None)
    values = [page.get("items") or page.get("value") for page in pages]
    strange = [page for page in values if page is not None and not isinstance(page, (list, tuple))]
    lists = not broken and not strange
    users = [user(item) for page in values for item in (page or [])] if lists else []
    sizes = ", ".join(str(len(page or [])) for page in values) if lists else ""
    if broken:
        look.bad(asked, told(broken["error"]), why="The last page is shorter, and the one behind it is empty.")
    elif strange:
        look.bad(asked, f"it gave {shown(strange[0])}", why="A page is a list of users.")
    elif sizes != batch_sizes(BATCH) + ", 0" or set(users) != set(PEOPLE):
        what = f"pages of {BATCH} had {sizes} users. {difference(users, PEOPLE)}".strip(" .")
        look.bad(asked, what, why="Each user is on one page.")
    else:
        look.good(asked)
    if lists and any(values):
        rules.dicts(look, [item for page in values if page for item in page], ages=look.step is not None)


def order_and_values(look, queries, do, *arguments):
    """Pages have an order, and what the caller gives stays a value."""
    asked = "its pages come in a fixed order"
    loose = next((q for q in queries if "ORDER BY" not in q.bare and not q.bare.startswith("SELECT COUNT(")), None)
    if loose:
        look.bad(asked, f"the server was sent: {shortened(loose.text, 120)}", 1)
    else:
        rules.one_of_a_kind(look, asked, [query for query in queries if "ORDER BY" in query.bare])
    given = {"page_size": (rules.INJECTED, *arguments)} | ({"offset": (BATCH, rules.INJECTED)} if arguments else {})
    rules.values_stay(look, do, given)


# lazy_pagination ------------------------------------------------------------------------------------------------------


def lazy_pagination(look):
    """Look at lazy_pagination(page_size)."""
    asked = f"it gives page after page, to the last ({batch_sizes(BATCH)} users)"
    observed, left = rules.streamed(look, asked, BATCH, limit=len(PEOPLE), steps=1)
    queries = observed["passed"].selects
    page_after_page(look, observed, asked)
    rules.stays(look, observed, "page")
    rules.anew(look, observed, BATCH, thing="page")
    if observed["ended"]:
        rules.edges(look, "an empty table gives no page, one row gives one", BATCH, flat=rules.flat)
    as_you_ask(look)
    if look.step is not None and look.step >= 2:
        rules.refusals(look, "page_size")
    if not look.from_step(2):
        return
    order_and_values(look, queries, "stream")
    rules.closing(look, left, LARGE_PAGE, thing="page", stop=2)
    outages.errors(look, "stream", LARGE_PAGE)
    if look.from_step(3):
        changed_while_paging(look)


def page_after_page(look, observed, asked):
    """Look at the pages that came."""
    items = observed["items"]
    users = [user(item) for item in rules.flat(items)]
    lists = all(isinstance(item, (list, tuple)) for item in items)
    sizes = ", ".join(str(len(item)) for item in items[:8]) if lists else ""
    if not lists:
        look.bad(asked, f"the first thing that came was {shown(items[0])}", why="A page is a list of users.")
    elif not observed["ended"] and len(items) > 1 and items[0] == items[1]:
        look.bad(asked, "page 2 was page 1 again, and so were all that followed", 22)
    elif not observed["ended"]:
        what = f"it had given {len(items)} pages, and went on"
        look.bad(asked, what, why="After the last page the loop must end.")
    elif sizes != batch_sizes(BATCH) or set(users) != set(PEOPLE):
        what = f"the pages had {sizes} users. {difference(users, PEOPLE)}".strip(" .")
        look.bad(asked, what, why="Each user is on one page.")
    else:
        look.good(asked)


def as_you_ask(look):
    """A page is fetched when it is asked for, and not before."""
    asked = "it asks for a page only when you do"
    first = look.observe("many", LARGE_PAGE, limit=3, steps=1)
    if first["sent"] and first["sent"][0] >= rules.ROWS_ALLOWED:
        look.bad(asked, f"all {MANY:,} users had come from the server before your first page came out", 11)
    elif first["asked"] and first["asked"][0] > (2 if look.step is None else 1):  # a COUNT(*) before is no fault
        look.bad(asked, f"{first['asked'][0]} queries had been sent before your first page came out",
                 why="The pages behind the first may never be wanted.")  # fmt: skip
    else:
        look.good(asked)


def changed_while_paging(look):
    """Say what a change of the table between two pages does: no fault of the learner's, for Task 3 asks for OFFSET."""

    def remove_the_first(number):
        if number == 1:
            look.harness.execute("DELETE FROM user_data ORDER BY user_id LIMIT 3")

    observed = look.observe("people", BATCH, limit=20, steps=1, on_item=remove_the_first)
    came = {user(item) for item in rules.flat(observed["items"])}
    skipped = set(sorted(PEOPLE)[BATCH:]) - came
    if skipped and not observed["error"] and observed["ended"]:
        look.note(
            f"when 3 users of page 1 were removed between two pages, {len(skipped)} others were skipped: "
            "OFFSET counts rows. Paging by key (lesson 04) skips none"
        )
