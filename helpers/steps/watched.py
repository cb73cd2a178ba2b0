"""A generator that is watched, and how generators are found in variables, in iterators, and by their frames."""

import gc
import inspect
import types

from .recording import Frame
from .values import ATOMIC, describe

ITEMS = 20  # of a tuple or list that may hold generators


class Watched:
    """A generator that is watched: how it stands, and its variables as they were last seen."""

    def __init__(self, number, source, label, holder):
        self.number, self.source, self.label, self.asked_by = number, source, label, holder
        self.state, self.line, self.view = "not started", None, None
        self.reference = None  # weak: nothing lives longer for being watched
        self.variables, self.known = {}, {}
        self.error = self.error_at = None  # the id of the exception that is on its way through the frame, and where
        self.exception = None  # its class
        self.told = self.resumed = self.through = False
        self.frame_id = self.asked = None  # asked: the step that is due when it answers
        code = source.code
        order = [*code.co_varnames, *code.co_cellvars, *code.co_freevars]
        self.order = {variable: place for place, variable in reversed([*enumerate(order)])}

    def alive(self):
        return self.state not in ("ended", "failed", "closed")

    def generator(self):
        return self.reference and self.reference()

    def look(self, frame):
        """Read the frame's variables; return their values."""
        values = frame.f_locals
        names = sorted((key for key in values if key[0] != "."), key=lambda key: self.order.get(key, len(self.order)))
        before, known = self.variables, self.known
        self.variables = {
            # what cannot change, and is the same as before, has the same text
            key: before[key] if known.get(key, self) is values[key] else describe(values[key])
            for key in names
        }
        self.known = {key: values[key] for key in names if type(values[key]) in ATOMIC}
        return values.values()

    def frame_view(self):
        """Return how it stands now; the same object as before where nothing has changed."""
        variables = self.variables if self.alive() else {}
        asked_by = self.asked_by.number if self.asked_by else None
        view = Frame(self.number, self.label, self.state, self.line, variables, asked_by)
        if view != self.view:
            self.view = view
        return self.view

    def call(self):
        """Return the call that made it, with the arguments as they are now: `count_upto(max=3)`."""
        code = self.source.code
        if self.source.expression:
            return self.label
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
        arguments = (key for key in code.co_varnames[:count] if key in self.variables)
        return f"{self.label}({', '.join(f'{key}={self.variables[key]}' for key in arguments)})"


def generators(value, depth=3):
    """Yield the generators that `value` is, holds (a short tuple or list), or draws from (map, zip, islice, …)."""
    if isinstance(value, types.GeneratorType):
        yield value
    elif depth and (
        (isinstance(value, tuple | list) and len(value) <= ITEMS)
        or (hasattr(value, "__next__") and type(value).__module__ in ("builtins", "itertools"))
    ):
        for inner in gc.get_referents(value):
            if type(inner) not in ATOMIC:
                yield from generators(inner, depth - 1)


def generator_of(frame, likely):
    """Return the generator that runs in `frame`: one of the `likely` ones, or a new one that no variable names."""
    if (generator := getattr(frame, "f_generator", None)) is not None:
        return generator  # Python 3.14 tells
    for objects in (lambda: likely, lambda: gc.get_objects(0), gc.get_objects):
        for generator in objects():
            is_one = type(generator) is types.GeneratorType and generator.gi_code is frame.f_code
            if is_one and generator.gi_frame is frame:
                return generator
    return None
