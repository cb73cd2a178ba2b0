"""What a function brings along from where it was made: how it travels, how large its data are, what cannot travel."""

import contextlib
import functools
import gc
import inspect
import io
import os
import struct
import sys
import sysconfig
import threading
import types

import cloudpickle

LEFT_OUT = (types.ModuleType, types.CodeType, types.BuiltinFunctionType, type(None), type(...), bool)
LIBRARIES = (*sysconfig.get_paths().values(), os.path.dirname(os.path.abspath(__file__)))
LOCKS = (type(threading.Lock()), type(threading.RLock()))


# How it travels -------------------------------------------------------------------------------------------------------


class _ByValue(cloudpickle.Pickler):
    """Pickles a notebook's functions by value, those that functools.cache wraps too."""

    def reducer_override(self, given):
        if not isinstance(given, functools._lru_cache_wrapper):
            return super().reducer_override(given)

        def cached(function, parameters):
            return functools.lru_cache(**parameters)(function)

        return cached, (given.__wrapped__, given.cache_parameters())


def pickled_by_value(given):
    """Return functions of a notebook, and what they need, as bytes for another process."""
    file = io.BytesIO()
    _ByValue(file).dump(given)
    return file.getvalue()


def put_into_main(function):
    """Make this process's __main__ one with the functions and classes that came from a notebook, by their names.

    Processes that the function starts are told by these names what to do (multiprocessing).
    """
    main, known, waiting = types.ModuleType("__main__"), set(), [function]
    while waiting:
        thing = waiting.pop()
        if id(thing) in known:
            continue
        known.add(id(thing))
        if isinstance(thing, functools.partial):
            waiting += [thing.func, *thing.args, *thing.keywords.values()]
        elif not isinstance(thing, (types.FunctionType, type)):
            waiting += [getattr(thing, "__wrapped__", None), getattr(thing, "__func__", None), type(thing)]
        elif thing.__module__ == "__main__":
            if thing.__qualname__.isidentifier():
                setattr(main, thing.__qualname__, thing)
            waiting += _variables(thing) if isinstance(thing, types.FunctionType) else vars(thing).values()
    sys.modules["__main__"] = main


# How large it is ------------------------------------------------------------------------------------------------------


def size(function):
    """Return the bytes of the data that a function brings along (int).

    Data are what its variables hold that were made outside it: globals, closures, default arguments and attributes,
    nested ones too, and what a learner's own module holds and the function uses. Installed modules, their functions and
    classes are none. It walks them in a copy of the process, so that this one holds no more memory than before; 0 where
    a process cannot be copied.
    """
    if not hasattr(os, "fork"):
        return 0
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        with contextlib.suppress(BaseException):
            os.write(writing, struct.pack("=q", _walk(function)))
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:
        told = answer.read()
    os.waitpid(pid, 0)
    return struct.unpack("=q", told)[0] if told else 0


def _walk(function):
    total, known, waiting = 0, set(), [function]
    while waiting:
        thing = waiting.pop()
        if id(thing) in known or isinstance(thing, LEFT_OUT) or _of_a_module(thing):
            continue
        known.add(id(thing))
        if isinstance(thing, types.FunctionType):
            waiting += _variables(thing)
        elif isinstance(thing, type):
            waiting += vars(thing).values()
        else:
            bytes_, more = _size_and_parts(thing)
            total += bytes_
            waiting += more
    return total


def _of_a_module(thing):
    """Whether a function or class can be imported from an installed module: it is the program's, and not data."""
    if not isinstance(thing, (types.FunctionType, type)) or thing.__module__ == "__main__":
        return False
    found = sys.modules.get(thing.__module__)
    if _is_own(found):
        return False
    for name in thing.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is thing


def _is_own(module):
    """Whether a module is a file of the learner's, and not installed."""
    file = getattr(module, "__file__", None)
    return bool(file) and not os.path.abspath(file).startswith(LIBRARIES)


def _variables(function):
    """Return what a function's variables from outside hold."""
    held = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values(), *vars(function).values()]
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # not bound yet
            held.append(cell.cell_contents)
    names, codes = set(), [function.__code__]
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    used, known = [function.__globals__[name] for name in names if name in function.__globals__], set()
    for value in used:  # grows: a package's module has names of its own
        if isinstance(value, types.ModuleType) and value not in known and _is_own(value):
            known.add(value)
            used += [vars(value)[name] for name in names if name in vars(value)]
    return held + used


def _size_and_parts(thing):
    """Return the bytes of one object, as Python's allocator rounds them up, and the objects in it."""
    if hasattr(thing, "memory_usage") and hasattr(thing, "index"):  # pandas, which knows its own
        usage = thing.memory_usage(deep=True)
        return int(getattr(usage, "sum", lambda: usage)()), []
    bytes_ = (sys.getsizeof(thing, 0) + 15) // 16 * 16
    if hasattr(thing, "dtype") and hasattr(thing, "base"):  # numpy: a view's bytes are those of its base
        parts = [] if thing.base is None else [thing.base]
        return bytes_, parts + (thing.ravel().tolist() if thing.dtype.hasobject else [])
    return bytes_, gc.get_referents(thing)


# What cannot travel ---------------------------------------------------------------------------------------------------


def culprit(function):
    """Return what keeps a function from being pickled, in words: "`users`, a generator"; "" where nothing is found."""
    return _first_that_stays(_named(function), {id(function)})


def _first_that_stays(named, known):
    """Look at things by name, and into functions and objects; say the first one found that cannot be pickled."""
    for name, value in named:
        try:
            pickled_by_value(value)
        except Exception:
            inside = ""
            if id(value) not in known and not _kind(value, plain=False):
                inside = _first_that_stays(_named(value, f"{name}."), known | {id(value)})
            return inside or f"`{name}`, {_kind(value)}"
    return ""


def _named(thing, prefix=""):
    """Yield what a function, or an object that can be called or not, holds, by the names that its author gave."""
    while isinstance(thing, functools.partial):
        yield from {**dict(enumerate(thing.args)), **thing.keywords}.items()
        thing = thing.func
    if isinstance(thing, types.MethodType):
        yield "self", thing.__self__
        thing = thing.__func__
    if callable(thing) and not isinstance(thing, type):
        thing = inspect.unwrap(thing)
    if isinstance(thing, types.FunctionType):
        variables = inspect.getclosurevars(thing)
        yield from {**variables.nonlocals, **variables.globals}.items()
        yield from ((name, parameter.default) for name, parameter in inspect.signature(thing).parameters.items())
    elif hasattr(thing, "__dict__"):
        yield from ((f"{prefix or 'self.'}{name}", held) for name, held in vars(thing).items() if name[:2] != "__")


def _kind(value, plain=True):
    """Say what a value is (str): "a generator", "an open file"; "" for what has no word of its own unless `plain`."""
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        return "a generator"
    if isinstance(value, io.IOBase):
        return "an open file"
    if isinstance(value, LOCKS):
        return "a lock"
    name = type(value).__name__
    for word in ("cursor", "connection"):
        if word in name.lower():
            return f"a {word}"
    if not plain:
        return ""
    return f"an object of type {name} that holds one" if isinstance(value, (list, tuple, dict, set)) else f"a {name}"
