# `make` alone says what there is. What is behind the targets: helpers/setup.sh.
.DEFAULT_GOAL := help
.PHONY: help lab copies fresh test quick browser torture outputs bench clear links site bundle lock clean venv ready

ifdef ROWS
export COURSE_ROWS := $(ROWS)
endif
export UPGRADE
export OLDEST
export FRESH

python := .venv/bin/python
# helpers.notebooks is loaded first because it keeps away what nbval would load, two seconds for each process of pytest
pytest := $(python) -m pytest -p helpers.notebooks
# The lesson to open, test or renew: the first one unless LESSON=02 names another
lesson := $(notdir $(firstword $(sort $(wildcard notebooks/$(LESSON)*.ipynb))))
# Lab starts with the table of contents beside the lesson (the workspace), whatever was open the last time.
# Linux without a screen: say the address instead of looking for a browser
headless := $(if $(filter Linux,$(shell uname -s)),$(if $(DISPLAY)$(WAYLAND_DISPLAY)$(WSL_DISTRO_NAME),,--no-browser))
as_root := $(if $(filter 0,$(shell id -u)),--allow-root)

help:  ## list the targets (this list)
	@sed -n 's/^\([a-z]*\):.*## /\1 /p' Makefile | while read -r name text; do \
	  printf '  make %-9s %s\n' "$$name" "$$text"; done

lab: copies  ## open JupyterLab on your copy of the first lesson; LESSON=02 opens another, ROWS=1000000 makes it big
	@rm -rf .venv/workspaces && mkdir .venv/workspaces
	@cp helpers/lab_workspace.json .venv/workspaces/default-37a8.jupyterlab-workspace
	@exec $(python) -m jupyterlab --LabApp.default_url=/lab/tree/my_lessons/$(lesson) \
	  --LabApp.workspaces_dir=.venv/workspaces $(headless) $(as_root) $(LAB)

copies: venv  ## make your copies of the lessons in my_lessons; those that are there stay as they are
	@helpers/setup.sh lab_server
	@$(python) -m helpers.notebooks copies

fresh: venv  ## give you a new copy of LESSON=02 and keep your old one beside it
	@$(python) -m helpers.notebooks fresh $(LESSON)

test: ready  ## run every lesson and every test and compare with what is stored; LESSON=02 takes one lesson's
	@$(python) -m ruff check
	@$(pytest) -n 3 --dist loadfile --nbval notebooks helpers $(if $(LESSON),--lesson $(LESSON)) $(TEST)

quick: ready  ## run the tests that need under 30 s together
	@$(python) -m ruff check
	@$(pytest) -n 3 --dist loadfile --quick helpers $(TEST)

browser: ready  ## open every lesson in the system's Chromium, run it, and look at it
	@helpers/setup.sh browser
	@helpers/setup.sh site
	@$(pytest) -n 2 -m browser helpers $(TEST)

torture: ready  ## break everything by force, again and again, and print what failed; TEST="-k kill" takes a part
	@$(pytest) -m torture helpers $(TEST)

outputs: ready  ## run every lesson, or LESSON=02, and store clean outputs; FRESH=1 also those that need no change
	@$(python) -m helpers.notebooks run $(LESSON)

bench: ready  ## measure beside the other drivers and ways; NAME=ranks takes one comparison, ROWS=… its size
	@grep -v '^#' helpers/bench/requirements.txt | \
	  xargs -n 1 $(python) -m pip install --quiet --disable-pip-version-check || \
	  echo "Not all peers could be installed; those are left out: helpers/bench/requirements.txt says what they need." >&2
	@$(python) -m helpers.bench $(NAME) $(if $(ROWS),--rows $(ROWS)) $(if $(CHECK),--check)

clear: venv  ## remove the outputs from the lessons themselves and fold the solutions
	@$(python) -m helpers.notebooks clear

links: venv  ## write Binder links and badges for the clone's origin or URL=…; URL=none takes them out
	@$(python) -m helpers.notebooks links $(URL)

site: venv  ## make the website of the lessons from their stored outputs, in .venv/site/html
	@helpers/setup.sh site
	@$(python) -m helpers.site

bundle: venv  ## pack the course and all that it needs for rooms without internet, on Debian and Ubuntu
	@helpers/bundle/make.sh

lock: venv  ## write requirements.txt from pyproject.toml; UPGRADE=1 moves every pin, OLDEST=1 to the oldest that is allowed
	@helpers/setup.sh lock

clean:  ## remove what the targets above made, the packages too
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Set-up: each part does nothing where nothing is missing
venv:
	@PYTHON="$(PYTHON)" helpers/setup.sh venv

ready: venv
	@helpers/setup.sh server
