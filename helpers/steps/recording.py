"""What was recorded: the steps, and how they are shown as text and as HTML."""

import dataclasses
import json
from pathlib import Path

_FOLDER = Path(__file__).parent
_WIDTH = 60  # characters of a step's sentence before its variables, in text
# `<`, `>` and `&` in a script would be read as HTML, and the other two end a line of JavaScript
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """How one generator stands in one step.

    state is "not started", "running", "waiting" (for another generator), "suspended", "ended", "failed" or "closed";
    line is the line that is about to run or where it is suspended; variables are texts by name; asked_by is the
    number of the generator that draws from it (None: the caller).
    """

    number: int
    name: str
    state: str
    line: int | None
    variables: dict
    asked_by: int | None


@dataclasses.dataclass(slots=True)
class Step:
    """One step: what happened (kind, the generator's number, its line, a sentence), and how everything stands after it.

    kind is "made", "ask", "asks", "line", "yield", "return", "raise", "closed", "answer", "end" or "cut"; holds is what
    the caller got last (text, or None), handed how many values it has got.
    """

    kind: str
    frame: int | None
    line: int | None
    says: str
    frames: tuple
    holds: str | None
    handed: int


class Recording:
    """What steps.record returns: shows itself in a notebook, as text elsewhere. It holds texts only, no generator.

    title : str
        The call, such as "count_upto(max=3)".
    steps : list of Step
    handed : list of str
        All values that the caller got.
    """

    def __init__(self, title, steps, handed, sources=(), numbers=(), interrupted=False):
        self.title, self.steps, self.handed, self.interrupted = title, steps, handed, interrupted
        self._sources = [{"name": s.code.co_name, "first": s.first, "lines": s.lines, "ends": s.ends} for s in sources]
        self._numbers = list(numbers)  # for each generator, the number of its source

    def text(self):
        """Return all steps as text, the same in every run: code, then a line for each step."""
        if not self.steps:
            return self.title
        parts = [f"{self.title}, step by step", ""]
        for source in self._sources:
            parts += [f"{n:5}  {line}".rstrip() for n, line in enumerate(source["lines"], source["first"])] + [""]
        width = len(str(len(self.steps)))
        for number, step in enumerate(self.steps):
            told = "; ".join(self._variables(step))
            says = f"{number:>{width}}  {step.says}"
            parts.append(f"{says:{_WIDTH}}  | {told}" if told else says)
        parts += ["", f"Yielded: {', '.join(self.handed) or 'nothing'}"]
        return "\n".join(parts)

    def _variables(self, step):
        """Return the variables of the generator that the step is about; at rest, of all (three of a deep recursion)."""
        shown = [f for f in step.frames if f.variables and step.frame in (None, f.number)]
        told = []
        for frame in shown[:3]:
            names = f"{frame.name}: " if step.frame is None and len(step.frames) > 1 else ""
            told.append(names + ", ".join(f"{key} = {text}" for key, text in frame.variables.items()))
        return [*told, f"{len(shown) - 3} more"] if len(shown) > 3 else told

    def __repr__(self):
        return self.text()

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": self.text(), "text/html": self._repr_html_()}

    def _repr_html_(self):
        """Return HTML that needs nothing else: the text, and a script that makes a stepper of it where scripts run."""
        text = self.text().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if not self.steps:
            return f"<p>{text}</p>"
        data = json.dumps(self._data(), ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
        script = (_FOLDER / "page.js").read_text(encoding="utf-8")
        return (
            '<div class="generator-steps" data-lm-suppress-shortcuts="true">'
            f'<pre>{text}</pre><script type="application/json">{data}</script><script>{script}</script></div>'
        )

    def _data(self):
        """Return what the script shows: each text and each state of a generator once, and steps that point to them."""
        texts, frames = {}, {}

        def place(table, key):
            return table.setdefault(key, len(table))

        def state(frame):
            pairs = [place(texts, part) for pair in frame.variables.items() for part in pair]
            line, asked_by = frame.line or 0, -1 if frame.asked_by is None else frame.asked_by
            return (frame.number, place(texts, frame.name), place(texts, frame.state), line, asked_by, *pairs)

        steps = [
            [
                step.kind,
                -1 if step.frame is None else step.frame,
                place(texts, step.says),
                -1 if step.holds is None else place(texts, step.holds),
                step.handed,
                [place(frames, state(frame)) for frame in step.frames],
            ]
            for step in self.steps
        ]
        css = (_FOLDER / "page.css").read_text(encoding="utf-8")
        return {
            "title": self.title,
            "sources": self._sources,
            "sourceOf": self._numbers,
            "texts": list(texts),
            "frames": list(frames),
            "steps": steps,
            "handed": self.handed,
            "css": css,
        }
