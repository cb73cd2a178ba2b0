"""The one style of every figure in the course: colours, axes and direct labels.

The first four colours are from the set of Okabe and Ito, made to be told apart by people with any colour vision
(https://jfly.uni-koeln.de/color/); the other three were chosen to differ from them and from white as well. The
background stays white, so that figures read alike in light and dark themes. The tests hold the colours to all this.
"""

import matplotlib.pyplot as plt

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
    """
    _, made = plt.subplots(1, columns, figsize=size, layout="constrained")
    first = made if columns == 1 else made[0]
    first.set_title(title)
    first.set_xlabel(xlabel)
    first.set_ylabel(ylabel)
    return made


def label(ax, x, y, text, colour):
    """Write `text` in `colour` beside the point (x, y), in units of the data: a direct label, no legend."""
    return ax.annotate(text, (x, y), xytext=(6, 0), textcoords="offset points", color=colour, va="center", fontsize=11)


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
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.6, "alpha": 0.6},
        )
