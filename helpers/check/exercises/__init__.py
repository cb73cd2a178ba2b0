"""The checks of the lessons' own exercises: one file a lesson, one function a check (see helpers/check/look.py)."""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
