"""Lesson 00: the check of predicted memory."""

from helpers.check.look import exercise
from helpers.check.words import shown

NUMBERS = 3_000_000
MIB = 2**20
REFERENCE, INT = 8, 32  # bytes, on 64 bits; CPython rounds an int's 28 up, and makes those of -5 to 256 once
WITHIN = 0.15


@exercise("00", value=True)
def predicted_mib(look):
    """Check predicted_mib, a dict: the MiB of three million numbers in a list, of so many ages, and of a generator."""
    if not isinstance(look.value, dict) or any(mib is ... or mib is None for mib in look.value.values()):
        look.report.problem = "not written yet"
        return
    asked = "three million numbers in a list"
    with look.asks(asked, why="A list keeps two things for each number, and both take memory."):
        _predicted(look, "sum(list(count_upto(3_000_000)))", INT)
    asked = "three million ages in a list"
    with look.asks(asked, why="What a list takes depends on what is in it: here a hundred numbers, again and again."):
        _predicted(look, "sum(list(ages(3_000_000)))", 0)
    asked = "three million ages from a generator"
    with look.asks(asked, why="Memory depends on how many values are kept at once, not on how many are made."):
        if (mib := _mib(look, "sum(ages(3_000_000))")) > 1:
            look.fail(f"{mib:,.1f} MiB. How many ages does it keep at once?")


def _predicted(look, work, size):
    """Fail unless the prediction for this work is near a reference and an object of `size` bytes for each number."""
    right = REFERENCE + size
    each = _mib(look, work) * MIB / NUMBERS
    if abs(each / right - 1) <= WITHIN:
        return
    known = {
        REFERENCE: "the references alone",
        INT: "the objects alone",
        REFERENCE + INT: "an object for each age, which are shared",
        right * MIB: "a number of bytes, not of MiB",
        right * 2**10: "a number of KiB, not of MiB",
        right / 2**10: "a number of GiB, not of MiB",
    }
    said = [text for other, text in known.items() if abs(each / other - 1) < 0.05]
    look.fail(f"{shown(look.value[work])}, which is {said[0] if said else f'{each:,.0f} bytes for each number'}")


def _mib(look, work):
    mib = look.value.get(work)
    if isinstance(mib, bool) or not isinstance(mib, (int, float)) or mib < 0:
        look.fail(f"{shown(mib)}: a number of MiB is asked for")
    return mib
