"""How what was observed is put in words: values, errors, users that are missing."""

from collections import Counter
from decimal import Decimal, InvalidOperation

CRASHES = ("Hung", "Memory", "Died")


def told(error):
    """Say in one line what came out of the learner's code."""
    if error["type"] in CRASHES:
        return error["text"]
    what = f"{error['type']}: {error['text']}" if error["text"] else error["type"]
    if error["type"] == "EOFError" and "reading a line" in error["text"]:
        what = "EOFError: it asks at the keyboard, where nobody sits. Read the environment: os.environ"
    if error["type"] == "SystemExit":
        what = "sys.exit (SystemExit): it would have ended the notebook"
    place = ""
    if error["line"]:
        file, line, source = error["line"]
        place = f" ({file + ', ' if file else ''}line {line}{': ' + shortened(source, 90) if source else ''})"
    return f"it raised {what}{place}"


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
    if isinstance(value, tuple) and len(value) in (3, 4) and value[0] == "object":
        return _Text(value[2] or f"a {value[1]}")
    if isinstance(value, (list, tuple)):
        return type(value)(map(_as_it_was, value))
    return value


def shortened(text, most):
    """Return a text of at most so many characters, in one line; dots where something was left out."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[most // 2 :] else cut}…"


def connections(count):
    """Say how many connections were, for a sentence that goes on with "open"."""
    return "your connection was" if count == 1 else f"{count} of your connections were"


def user(item):
    """Return a user as (user_id, name, email, age), from a dict, a tuple or an object; None if it is none."""
    if isinstance(item, dict):
        found = {str(key).lower(): value for key, value in item.items()}
        if not {"user_id", "name", "email", "age"} <= set(found):
            return None
        item = [found[key] for key in ("user_id", "name", "email", "age")]
    if isinstance(item, tuple) and item[:1] == ("object",) and len(item) == 4:
        item = item[3]  # an object with these attributes: see runner.plain
    if not isinstance(item, (list, tuple)) or len(item) != 4 or isinstance(item[0], (list, tuple, dict)):
        return None
    user_id, name, email, age = item
    return (str(user_id), name, email, number(age))


def number(value):
    """Return a number as an int or Decimal; anything else as it is."""
    if isinstance(value, bool):
        return value
    try:
        value = Decimal(str(value)) if not isinstance(value, int) else value
        return int(value) if value == int(value) else value
    except (InvalidOperation, ValueError, OverflowError):
        return value


def difference(found, wanted, things="users", where="the table"):
    """Say how the items found differ from those wanted, which are in `where`, in any order; "" if they do not."""
    found, wanted = Counter(found), Counter(wanted)
    missing, more = wanted - found, found - wanted
    told = []
    if missing:
        told.append(f"{missing.total()} of {wanted.total()} {things} were missing")
    again = sum((more & Counter({thing: count for thing, count in more.items() if thing in wanted})).values())
    if again:
        told.append(f"{again} came again")
    if more.total() > again:
        example = next(thing for thing in more if thing not in wanted)
        told.append(f"{more.total() - again} are not in {where}, as {example!r:.80}")
    return ", ".join(told)
