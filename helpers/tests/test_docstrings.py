"""The examples in docstrings run, on the private server where they need one, and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import helpers

# Tests, what needs packages that the course does without, and what is run by its path and not imported
APART = ("helpers.tests", "helpers.bench", "helpers.check.runner")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(helpers.__path__, "helpers.")
    if not module.name.startswith(APART) and not module.name.endswith("__main__")
)


def examples(name):
    """The examples of each docstring of a module."""
    found = doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    return [test for test in found if test.examples]


@pytest.mark.parametrize("name", [name for name in MODULES if examples(name)])
def test_the_examples_of_a_module_run(name):
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    for test in examples(name):
        told = []
        runner.run(test, out=told.append)
        assert not told, f"{test.name}\n{''.join(told)}"
