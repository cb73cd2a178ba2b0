"""Runs a generator once, under sys.settrace, and notes each step of it and of the generators that it draws from."""

import collections
import inspect
import sys
import sysconfig
import types
import weakref
from pathlib import Path

from .recording import Recording, Step
from .source import Source
from .values import ATOMIC, describe, error, name
from .watched import Watched, generator_of, generators

PATIENCE = 100_000  # lines that run after the last step that is kept, before a body without a `yield` is stopped
WATCHED = 30  # generators of a deep recursion whose variables are looked at in every step
_LIBRARIES = (
    "<frozen",
    *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")},
    str(Path(__file__).parents[1]),
)


class _CutOff(BaseException):
    """Stops a body that runs on and on without a `yield`, as Ctrl-C would."""


class Recorder:
    """Notes what happens while `top` (a generator, or an iterator that draws from generators) is asked for values."""

    def __init__(self, top, limit):
        self.top, self.limit = top, limit
        self.steps, self.handed, self.holds = [], [], None
        self.watched, self.by_frame, self.labels = [], {}, collections.Counter()
        self.sources, self.files = {}, {}
        self.extra = 0  # lines that ran after the last step that is kept
        self.interrupted = self.left_out = False
        self.passed_on = False  # whether a value went through a `yield from` in the last step
        self.plain = isinstance(top, types.GeneratorType)
        found = list(generators(top))
        self.files = {generator.gi_code.co_filename: True for generator in found}
        for generator in found:
            self._watch(generator)
        first = self.watched[0]
        self.title = first.call() if self.plain else f"{type(top).__name__} over {first.call()}"

    # The caller ------------------------------------------------------------------------------------------------------

    def run(self, asks, to_the_end):
        """Ask for values as `asks` says, and return the Recording. The tracer that was there is put back."""
        before = sys.gettrace()
        sys.settrace(None)
        try:
            self._made()
            for what, *values in asks:
                if self._full():
                    self.left_out = True
                    break
                ended = self._ask(what, *values)
                if self.interrupted or self.steps[-1].kind == "cut" or (ended and to_the_end):
                    break
            self._last()
        finally:
            for watched in self.watched:  # a generator that goes on later is not watched any more
                frame = getattr(watched.generator(), "gi_frame", None)
                if frame is not None and frame.f_trace is not None:
                    frame.f_trace = None
            sys.settrace(before)
        sources = list(dict.fromkeys(watched.source for watched in self.watched))
        numbers = [sources.index(watched.source) for watched in self.watched]
        return Recording(self.title, self.steps, self.handed, sources, numbers, self.interrupted)

    def _made(self):
        first = self.watched[0]
        if first.state == "not started":
            self._emit("made", first, f"{self.title} is made. No line of it has run.")
        else:
            self._emit("made", first, f"{first.label} was started before. It is suspended at line {first.line}.")

    def _ask(self, what, *values):
        """Ask once; return whether the end has come."""
        asked = f"{what}({', '.join(describe(value) for value in values)})"
        self._emit("ask", None, f"The caller asks: {asked}")
        count, ended = len(self.steps), False
        try:
            answer = self._traced(getattr(self.top, "__next__" if what == "next" else what), *values)
        except StopIteration as stop:
            ended, value = True, "" if stop.value is None else f"({describe(stop.value)})"
            self._settle()
            self._answer(count, f"{asked} raises StopIteration{value}.", "return")
        except _CutOff:
            says = f"Stopped, as Ctrl-C would: {PATIENCE:,} more lines ran, and none yielded a value."
            self._emit("cut", self.watched[0], says, beyond_the_limit=True)
        except BaseException as raised:
            ended, self.interrupted = True, isinstance(raised, KeyboardInterrupt)
            self._settle()
            self._answer(count, f"{asked} raises {error(raised)} in the caller.", "raise")
            raised.__traceback__ = None  # it would keep the frames, and what they hold
        else:
            self._settle()
            if what == "close":
                if len(self.steps) == count:
                    self._emit("answer", None, "There is nothing to close.")
            else:
                self.holds = describe(answer)
                self.handed.append(self.holds)
                self._answer(count, f"{asked} gives {self.holds}.", "yield")
        return ended

    def _traced(self, method, *values):
        sys.settrace(self._called)
        try:
            return method(*values)
        finally:
            sys.settrace(None)

    def _settle(self):
        """Set right what no event has told: it was closed, or waits in a `yield from` that passed a value on."""
        for watched in self.watched:
            generator = watched.generator()
            if watched.state in ("running", "waiting") and generator is not None and generator.gi_suspended:
                watched.state, self.passed_on = "suspended", True
        self._show_passed_on()
        self._notice_ends()

    def _answer(self, count, says, kind):
        """Add what the caller gets to the step that led to it, or make a step of it where that was another one."""
        if self._full() and len(self.steps) == count:
            return
        last = self.steps[-1]
        if len(self.steps) > count and last.kind == kind and self.plain and (kind == "yield" or last.frame == 0):
            handed = f" {self.holds}"
            shown = says.removesuffix(f"{handed}.") + " it." if kind == "yield" and handed in last.says else says
            last.says += f" {shown}"
            last.holds, last.handed = self.holds, len(self.handed)
        else:
            self._emit("answer", None, says)

    def _last(self):
        """Say how it is left, where the generator could go on."""
        first, kind = self.watched[0], self.steps[-1].kind
        if self.left_out and kind != "cut":
            self._emit("cut", first, f"Cut off after {self.limit:,} steps. {self._left_as()}", beyond_the_limit=True)
        elif kind not in ("cut", "made") and first.alive():
            self._emit("end", first, f"The caller asks for no more. {self._left_as()}", beyond_the_limit=True)

    def _left_as(self):
        first = self.watched[0]
        if first.state == "suspended":
            return f"{first.label} is still suspended at line {first.line}, and could go on."
        return f"{first.label}: {first.state}."

    # The steps -------------------------------------------------------------------------------------------------------

    def _full(self):
        return len(self.steps) >= self.limit

    def _emit(self, kind, who, says, frame=None, beyond_the_limit=False):
        """Keep a step, with all generators as they stand now."""
        if self._full() and not beyond_the_limit:
            self.left_out = True
            return
        if frame is not None:
            for value in who.look(frame):
                if type(value) not in ATOMIC:
                    for generator in generators(value):
                        self._watch(generator, who)
        number, line = (who.number, who.line) if who else (None, None)
        self.steps.append(Step(kind, number, line, says, self._frames(who, frame), self.holds, len(self.handed)))

    def _show_passed_on(self):
        if self.passed_on:
            self.passed_on = False
            self._again()

    def _again(self):
        """The last step led further: it shows the frames as they stand now."""
        if self.steps and not self._full():
            last = self.steps[-1]
            last.frames = self._frames(None if last.frame is None else self.watched[last.frame])

    def _frames(self, who, frame=None):
        alive = [watched for watched in self.watched if watched.alive()]
        near = alive if len(alive) <= WATCHED else [alive[0], *alive[1 - WATCHED :]]
        for watched in near:
            if watched is not who or frame is None:
                its_frame = getattr(watched.generator(), "gi_frame", None)
                if its_frame is not None:
                    watched.look(its_frame)
        # a generator that has ended is shown in the step in which it ends, and the first one always
        return tuple(w.frame_view() for w in self.watched if w.alive() or w is who or w.number == 0)

    def _notice_ends(self, but=None):
        """Make a step of each generator that was closed without running a line: Python tells no event for it."""
        for watched in self.watched:
            if watched is not but and watched.reference is not None and watched.state in ("suspended", "not started"):
                generator = watched.generator()
                if generator is None or (not generator.gi_suspended and generator.gi_frame is None):
                    self._closed(watched)

    def _closed(self, watched):
        where = "before a line of it has run" if watched.line is None else f"where it stood, at line {watched.line}"
        watched.state = "closed"
        self.by_frame.pop(watched.frame_id, None)
        self._emit("closed", watched, f"{watched.label} is closed {where}.")

    def _watch(self, generator, holder=None, code=None):
        """Return the watch over `generator` (None where only its frame is known, which runs `code`)."""
        for watched in self.watched if generator is not None else ():
            if watched.generator() is generator:
                return watched
        code = code or generator.gi_code
        if not self._wanted(code.co_filename):
            return None
        source = self.sources.get(code) or self.sources.setdefault(code, Source(code))
        self.labels[name(code)] += 1
        count = self.labels[name(code)]
        label = name(code) if count == 1 else f"{name(code)} #{count}"
        watched = Watched(len(self.watched), source, label, holder)
        self.watched.append(watched)
        if generator is not None:
            watched.reference = weakref.ref(generator)
            frame = generator.gi_frame
            if frame is None:
                watched.state = "ended"
            elif generator.gi_suspended:
                watched.state, watched.line = "suspended", source.start(frame.f_lineno)
            if frame is not None and not generator.gi_running:
                for value in watched.look(frame):
                    for inner in generators(value):
                        self._watch(inner, watched)
        return watched

    def _wanted(self, file):
        """Tell whether generators of this file are stepped through: a library's run in one go."""
        if file not in self.files:
            self.files[file] = not file.startswith(_LIBRARIES)
        return self.files[file]

    # What Python tells -----------------------------------------------------------------------------------------------

    def _called(self, frame, event, _):
        """Python enters a frame. Where it is a generator's, that starts or goes on; others run in one go."""
        if not frame.f_code.co_flags & inspect.CO_GENERATOR or not self._wanted(frame.f_code.co_filename):
            return None
        self._show_passed_on()
        watched = self._of(frame)
        parent, its_frame = self._asker(frame)
        watched.through = bool(parent) and parent.source.delegates(its_frame)
        goes_down = watched.through and watched.line is not None  # next() goes on to where a `yield from` leads
        watched.asked_by, watched.asked = parent, None
        if not goes_down:
            self._notice_ends(but=watched)
        if parent:
            was, parent.state = parent.state, "waiting"
            if was == "running" and not goes_down:
                how = "delegates to" if watched.through else "asks"
                by = " (yield from)" if watched.through else ""
                watched.asked = f"{parent.label} {how} {watched.label}{by}."
        watched.state, watched.resumed, watched.error, watched.exception, watched.told = (
            "running",
            True,
            None,
            None,
            False,
        )
        return self._happened

    def _asker(self, frame):
        """Return the watched generator in whose body `frame` was entered, and its frame; None for the caller."""
        while (frame := frame.f_back) is not None:
            watched = self.by_frame.get(id(frame))
            if watched and watched.source.code is frame.f_code:
                return watched, frame
        return None, None

    def _of(self, frame):
        """Return the watch over the generator that this frame belongs to."""
        watched = self.by_frame.get(id(frame))
        if watched and watched.source.code is frame.f_code:
            return watched
        generator = generator_of(frame, [watched.generator() for watched in self.watched])
        watched = self._watch(generator, code=frame.f_code)
        self.by_frame[id(frame)] = watched
        watched.frame_id = id(frame)
        return watched

    def _happened(self, frame, event, value):
        """Something happens in a generator's frame."""
        watched = self.by_frame[id(frame)]
        if watched.asked and event != "exception":  # an exception is thrown in: it was not asked for a value
            self._emit("asks", watched.asked_by, watched.asked)
        watched.asked = None
        if event != "return":
            self._show_passed_on()
        if event == "line":
            if self._full():
                self.extra += 1
                if self.extra > PATIENCE:
                    raise _CutOff
            self._line(frame, watched)
        elif event == "exception":
            self._raised(frame, watched, value[1])
        elif event == "return":
            self._left(frame, watched, value)
        return self._happened

    def _line(self, frame, watched):
        source, line = watched.source, watched.source.start(frame.f_lineno)
        again = source.repeats(line) or (source.expression and watched.resumed)
        if line == watched.line and not again:
            return  # the same statement goes on
        self._notice_ends()
        if watched.exception is GeneratorExit and not watched.told:
            self._emit("raise", watched, f"GeneratorExit is raised in {watched.label} at line {watched.line}.", frame)
        if watched.exception and (handled := sys.exc_info()[1]) is not None:
            watched.exception, watched.told = type(handled), True  # a `finally` may raise it again, without a word
        watched.line, watched.resumed, watched.error = line, False, None
        text = source.text(line)
        self._emit("line", watched, f"{watched.label}, line {line}{': ' if text else ''}{text}", frame)

    def _raised(self, frame, watched, exception):
        source = watched.source
        if isinstance(exception, StopIteration) and source.iterates(frame):
            return  # a `for` or `yield from` has come to the end of what it reads
        if watched.exception is StopIteration and isinstance(exception.__cause__, StopIteration):
            return  # Python 3.12 and later turn StopIteration into RuntimeError within the frame
        if watched.error == id(exception):
            return
        self._notice_ends()
        watched.error, watched.error_at = id(exception), frame.f_lasti
        watched.exception, watched.told = type(exception), False
        if watched.exception is not GeneratorExit:  # told when a line of the body runs: without one, it is just closed
            says = f"{error(exception)} is raised in {watched.label} at line {watched.line}."
            self._emit("raise", watched, says, frame)

    def _left(self, frame, watched, value):
        source = watched.source
        how = source.yields(frame)
        if how and value is None and watched.error is not None and watched.error_at == frame.f_lasti:
            how = None  # an exception was thrown in at the `yield`, and nothing caught it
        failed = not how and not source.returns(frame)
        if how != "from":
            self._show_passed_on()
        self._notice_ends()
        if watched.asked_by and watched.asked_by.state == "waiting":
            watched.asked_by.state = "running"
        if failed:
            self._unwound(watched)
        elif how == "from":
            watched.state, self.passed_on = "suspended", True
            if not self._full():
                self.steps[-1].says += f" {watched.label} passes it on (yield from)."
        elif how:
            watched.state = "suspended"
            to = f" to {watched.asked_by.label}" if watched.asked_by and not watched.through else ""
            yields = f"{watched.label} yields {describe(value)}{to}"
            self._emit("yield", watched, f"{yields}. It is suspended at line {watched.line}.", frame)
        else:
            watched.state = "ended"
            self._emit(
                "return", watched, f"{watched.label} ends{'' if value is None else f': it returns {describe(value)}'}."
            )
        if not watched.alive():
            self.by_frame.pop(id(frame), None)

    def _unwound(self, watched):
        """An exception leaves the generator's frame: it has ended."""
        if watched.exception is GeneratorExit:
            self._closed(watched)
            return
        watched.state = "failed"
        what = "It ends with the exception"
        if watched.exception is StopIteration:
            what = "Python turns a StopIteration that leaves a generator into a RuntimeError"
        last = self.steps[-1]
        if last.kind == "raise" and last.frame == watched.number and not self._full():
            last.says += f" {what}."
            self._again()
        else:
            self._emit("raise", watched, f"{watched.label} is finished. {what}.")
