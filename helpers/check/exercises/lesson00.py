"""Lesson 00: the checks of its exercises."""

from helpers.check.look import exercise


@exercise("00")
def average(look):
    """Check average(numbers): the average of anything that can be gone through once."""
    with look.asks("it averages a list", must=True):
        look.equal(look.run(lambda average: average([20, 30, 40])), 30, "average([20, 30, 40])")
    with look.asks("it averages a generator", why="A generator can be gone through once: then it is used up."):
        found = look.run(lambda average: average(n for n in (1, 2, 3, 4)))
        look.equal(found, 2.5, "average(n for n in (1, 2, 3, 4))")
    with look.asks("it holds a total and a count, not the numbers", why="A list of them all grows with the stream."):
        if look.bytes_each(lambda average, count: average(iter(range(count)))) > 4:
            look.fail("memory grew with the numbers: is there a list, or a tee, in it?")


@exercise("00", title="count_upto(max)")
def count_upto(look):
    """Check count_upto(max): it yields 1, 2, … max. Steps: 1 the right numbers, one by one; 2 all of it."""
    with look.asks("it gives something that next() works on", must=True, why="A for loop asks it for item after item."):
        look.gives_iterator(5)
    with look.asks("it counts from 1 to max", must=True, why="1 is the first number and max the last one."):
        look.equal(look.items(5, most=20), [1, 2, 3, 4, 5], "count_upto(5)")
    with look.asks("up to 1 it gives 1, up to 0 nothing", why="Limits are where loops go wrong."):
        look.equal(look.items(1, most=20), [1], "count_upto(1)")
        look.equal(look.items(0, most=20), [], "count_upto(0)")
    if not look.from_step(2):
        return
    with look.asks("numbers come as you ask for them, and memory stays flat",
                   why="A generator makes a number when next() asks for it; a list must hold them all."):  # fmt: skip
        look.items(10**12, most=3)
    with look.asks("each call counts anew", why="Two loops must not share one count."):
        look.equal(look.items(5, most=20), [1, 2, 3, 4, 5], "a further count_upto(5)")
