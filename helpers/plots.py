"""The one style of every figure in the course: colours, axes and direct labels.

The first four colours are from the set of Okabe and Ito, made to be told apart by people with any colour vision
(https://jfly.uni-koeln.de/color/); the other three were chosen to differ from them and from white as well. The
background stays white, so that figures read alike in light and dark themes. The tests hold the colours to all this.
"""

import html

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

LIST = "#D55E00"
GENERATOR = "#0072B2"
OTHERS = ("#009E73", "#CC79A7", "#661A00", "#7000E0", "#4D4D4D")

_STYLE = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "text.color": "#222222",
    "axes.labelcolor": "#222222",
    "axes.edgecolor": "#888888",
    "xtick.color": "#444444",
    "ytick.color": "#444444",
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E5E5E5",
    "axes.axisbelow": True,
    "lines.linewidth": 2.2,
}
plt.rcParams.update(_STYLE)  # for good: a style in a context would also set back what the notebook's backend sets


class CourseFigure(Figure):
    """A figure that shows itself in a notebook as an image with a text alternative, for people who do not see it.

    `alt` (str) is that text; where nobody sets it, it is what `describe` says. An image in HTML carries it everywhere:
    JupyterLab's own way to show a PNG drops it.
    """

    alt = None

    def _ipython_display_(self):
        from IPython.core.pylabtools import print_figure
        from IPython.display import display

        image = print_figure(self, fmt="png", bbox_inches="tight", base64=True)
        alt = html.escape(self.alt or describe(self))
        shown = f'<img alt="{alt}" src="data:image/png;base64,{image}">'
        display({"text/plain": repr(self), "text/html": shown}, raw=True)


def describe(figure):
    """Say in words what a figure shows (a str): titles, axes, and what stands beside its lines and bars.

    >>> ax = axes("The generator stays flat", "seconds", "memory (MiB)")
    >>> _ = label(ax, 1, 0.4, "generator: 0.4 MiB", GENERATOR)
    >>> describe(ax.figure)
    'The generator stays flat. Chart of memory (MiB) against seconds. generator: 0.4 MiB.'
    """
    return " ".join(_describe(ax) for ax in figure.axes if ax.get_visible()).strip()


def _describe(ax):
    title, xlabel, ylabel = ax.get_title("left") or ax.get_title(), ax.get_xlabel(), ax.get_ylabel()
    what = [title.replace("\n", " ").rstrip(".")]
    if xlabel or ylabel:
        what.append(f"Chart of {' against '.join(filter(None, (ylabel, xlabel)))}")
    beside = [text.get_text() for text in ax.texts]
    beside += [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []
    if bars := [c for c in ax.containers if isinstance(c, BarContainer)]:
        beside = [*_bars(ax, bars[0]), *beside]
    said = "; ".join(dict.fromkeys(" ".join(text.split()) for text in beside if text.strip()))
    return "".join(f"{sentence}. " for sentence in (*what, said) if sentence).strip()


def _bars(ax, container):
    """Return "name: length" for each of a chart's bars; none where the axis beside them does not name each."""
    lying = container.orientation == "horizontal"
    names = [text.get_text() for text in (ax.get_yticklabels() if lying else ax.get_xticklabels())]
    lengths = [bar.get_width() if lying else bar.get_height() for bar in container]
    if len(names) != len(lengths) or not all(names):
        return []
    figures = (f"{length:,.0f}" if abs(length) >= 100 else f"{length:.2f}" for length in lengths)
    return [f"{name}: {figure}" for name, figure in zip(names, figures, strict=True)]


def axes(title, xlabel, ylabel, size=(8.5, 4.2), columns=1):
    """Return new matplotlib Axes in the course's style; an array of Axes where `columns` is more than 1.

    Parameters
    ----------
    title : str
        What to see, as a sentence: "The list holds every row; the generator holds one".
    xlabel, ylabel : str
        What the axes show, with units: "seconds", "memory above the start (MiB)".
    size : tuple of float
        Width and height in inches.
    columns : int
        How many Axes side by side; the title and labels are then those of the first.

    Notes
    -----
    `describe` makes the figure's text alternative from what is drawn; `ax.figure.alt = "…"` sets another one.
    """
    figure, made = plt.subplots(1, columns, figsize=size, layout="constrained", FigureClass=CourseFigure)
    first = made if columns == 1 else made[0]
    first.set_title(title)
    first.set_xlabel(xlabel)
    first.set_ylabel(ylabel)
    return made


def label(ax, x, y, text, colour):
    """Write `text` in `colour` beside the point (x, y), in units of the data: a direct label, no legend."""
    place = {"xytext": (6, 0), "textcoords": "offset points", "va": "center"}
    return ax.annotate(text, (x, y), **place, color=ink(colour), fontsize=11)


def ink(colour):
    """Return the colour for words beside what is drawn in `colour`: as dark as WCAG 2.1 asks of text on white.

    The contrast is at least 4.5 to 1: https://www.w3.org/TR/WCAG21/#contrast-minimum.
    """
    channels = np.array(to_rgb(colour))
    while 1.05 / (_luminance(channels) + 0.05) < 4.5:
        channels = channels * 0.97
    return to_hex(channels)


def _luminance(channels):
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def label_ends(ax, ends):
    """Label the ends of lines at the right edge, moved apart where they would overlap.

    Parameters
    ----------
    ax : matplotlib Axes
        With everything drawn, so that its limits are final.
    ends : list of (float, float, str, str)
        For each line the x and y of the point to label, the text, and the colour.
    """
    low, high = ax.get_ylim()
    log = ax.get_yscale() == "log"
    height = 1 / 15  # of the axes: a line of text with some air

    def place(y):
        return (
            ax.transAxes.inverted().transform(ax.transData.transform((ends[0][0], y)))[1]
            if log
            else (y - low) / (high - low)
        )

    wanted = sorted((place(y), x, y, text, colour) for x, y, text, colour in ends)
    places = []
    for at, *_ in wanted:
        places.append(max(at, places[-1] + height) if places else max(at, 0.02))
    if places[-1] > 1:  # push down from the top
        places[-1] = 1.0
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - height)
    for at, (_, x, y, text, colour) in zip(places, wanted, strict=True):
        ax.annotate(
            text,
            (x, y),
            xytext=(1.02, at),
            textcoords="axes fraction",
            color=ink(colour),
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6, "alpha": 0.6},
        )
