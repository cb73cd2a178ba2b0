"""The colours of the figures can be told apart and read, whatever the reader's colour vision and Lab's theme."""

import re
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from helpers import plots

# What people see who lack one kind of cone, in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.0,
# https://doi.org/10.1109/TVCG.2009.113
SIGHTS = {
    "three cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "no colours": [[0.2126, 0.7152, 0.0722]] * 3,
}
# CIE 1976 L*a*b* of sRGB under D65: https://www.w3.org/TR/css-color-4/#color-conversion-code
XYZ = np.array([[0.41246, 0.35758, 0.18044], [0.21267, 0.71515, 0.07218], [0.01933, 0.11919, 0.95030]])
LAB_BACKGROUNDS = {"light": "#FFFFFF", "dark": "#111111"}
DIFFERENT = 20  # in L*a*b*, where 2.3 is a difference that can just be noticed
READABLE = 3  # the contrast that WCAG 2.1 asks of what is drawn: https://www.w3.org/TR/WCAG21/#non-text-contrast


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(light):
    share = XYZ @ np.clip(light, 0, 1) / (XYZ @ np.ones(3))
    x, y, z = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one, other, sight):
    return np.linalg.norm(lab(SIGHTS[sight] @ linear(one)) - lab(SIGHTS[sight] @ linear(other)))


def contrast(one, other):
    lighter, darker = sorted((XYZ[1] @ linear(colour) for colour in (one, other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_yardsticks_are_right():
    assert contrast("black", "white") == pytest.approx(21, abs=0.01)
    assert difference("black", "white", "three cones") == pytest.approx(100, abs=0.01)
    assert difference("#FF0000", "#00B000", "three cones") > 100
    assert difference("#A00000", "#505000", "deuteranopia") < DIFFERENT, "red and green of one lightness"


@pytest.mark.parametrize("sight", SIGHTS)
def test_list_and_generator_differ_for_everybody(sight):
    least = DIFFERENT if sight != "no colours" else 5  # in print without colours, the labels at the lines tell
    assert difference(plots.LIST, plots.GENERATOR, sight) > least


@pytest.mark.parametrize("sight", ["three cones", "protanopia", "deuteranopia", "tritanopia"])
def test_no_two_colours_look_alike(sight):
    for one, other in combinations((plots.LIST, plots.GENERATOR, *plots.OTHERS), 2):
        assert difference(one, other, sight) > 15, (one, other)


@pytest.mark.parametrize("theme", LAB_BACKGROUNDS)
def test_list_and_generator_can_be_read_on_both_of_labs_backgrounds(theme):
    for colour in (plots.LIST, plots.GENERATOR):
        assert contrast(colour, LAB_BACKGROUNDS[theme]) >= READABLE


def test_every_colour_can_be_read_on_the_figures_own_background():
    ax = plots.axes("title", "x", "y")
    try:
        background = ax.figure.get_facecolor()
        assert background == ax.get_facecolor() == to_rgb("white") + (1.0,), "not see-through: Lab may be dark"
        for colour in (plots.LIST, plots.GENERATOR, *plots.OTHERS):
            assert contrast(colour, background) >= READABLE, colour
        for text in (ax.title, ax.xaxis.label, *ax.get_xticklabels()):
            assert contrast(text.get_color(), background) >= 4.5, text
    finally:
        plt.close(ax.figure)


def test_words_beside_what_is_drawn_are_dark_enough_to_read_and_keep_their_hue():
    for colour in (plots.LIST, plots.GENERATOR, *plots.OTHERS):
        assert contrast(plots.ink(colour), "white") >= 4.5, colour
        assert difference(plots.ink(colour), colour, "three cones") < 30, colour
    assert plots.ink(plots.GENERATOR) == plots.GENERATOR.lower(), "what is dark enough stays as it is"
    ax = plots.axes("title", "x", "y")
    try:
        ax.plot([0, 1], [0, 1], color=plots.LIST)
        plots.label_ends(ax, [(1, 1, "list", plots.LIST)])
        plots.label(ax, 1, 1, "list", plots.LIST)
        assert {text.get_color() for text in ax.texts} == {plots.ink(plots.LIST)}
    finally:
        plt.close(ax.figure)


def test_the_steppers_page_has_the_generators_colour():
    page = (Path(plots.__file__).parent / "steps/page.css").read_text()
    assert plots.GENERATOR.upper() in re.findall(r"#[0-9A-F]{6}", page.upper()), "change it in helpers/steps/page.css"


def test_a_figure_says_in_words_what_it_shows():
    left, right = plots.axes("Two ways", "seconds", "memory (MiB)", columns=2)
    try:
        plots.label(left, 1, 2, "list: 40.0 MiB", plots.LIST)
        right.set_title("Rates", loc="left")
        right.barh(["row by row", "in batches"], [12.5, 90_000])
        said = plots.describe(left.figure)
        assert said.startswith("Two ways. Chart of memory (MiB) against seconds. list: 40.0 MiB.")
        assert said.endswith("Rates. row by row: 12.50; in batches: 90,000.")
    finally:
        plt.close(left.figure)


def test_a_figure_shows_itself_as_an_image_with_its_words(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data["text/html"]))
    ax = plots.axes('The "list" climbs', "seconds", "MiB")
    try:
        ax.plot([0, 1], [0, 1])
        ax.figure._ipython_display_()
        ax.figure.alt = "what somebody wrote"
        ax.figure._ipython_display_()
    finally:
        plt.close(ax.figure)
    assert shown[0].startswith('<img alt="The &quot;list&quot; climbs. Chart of MiB against seconds." src="data:image')
    assert shown[1].startswith('<img alt="what somebody wrote" src="data:image/png;base64,')
