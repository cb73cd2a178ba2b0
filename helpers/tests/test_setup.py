"""The set-up holds together: the lock, conda, Binder, Codespaces, and a driver that is fast inside a kernel."""

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jupyter_client.manager
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import LEFT_OUT, PEOPLE, PROJECT, ROOT, make_targets, run

from helpers import notebooks, server


def workflow(name):
    """Return one of GitHub's workflows as YAML reads it."""
    return yaml.safe_load((ROOT / ".github/workflows" / name).read_text())


# requirements.txt -----------------------------------------------------------------------------------------------------


def lock_sections():
    """Return the lines of requirements.txt that name packages: (direct ones, what those pull in)."""
    text = (ROOT / "requirements.txt").read_text()
    return [[line for line in part.splitlines() if line and line[0] != "#"] for part in text.split("\n\n")]


def locked():
    """Return {package: pinned version} of all of requirements.txt."""
    requirements = [Requirement(line.split("#")[0]) for part in lock_sections() for line in part]
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in requirements}


# What `make browser` and `make site` install beside it
EXTRA_LOCKS = {"browser": "helpers/tests/requirements.txt", "site": "helpers/site/requirements.txt"}


def direct():
    """Return the direct requirements that pyproject.toml names."""
    return [Requirement(line) for line in PROJECT["dependencies"]]


def test_every_line_of_the_lock_pins_one_version_and_nothing_else():
    lines = [line for part in lock_sections() for line in part]
    assert len(lines) == len(locked()) > 100
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==\d[\w.]*( ; [^#/]+)?( +# via [a-z0-9, -]+)?", line), line


def test_the_lock_tells_direct_packages_from_what_they_pull_in():
    first, second = lock_sections()
    assert {line.split("==")[0] for line in first} == {canonicalize_name(r.name) for r in direct()}
    assert all("# via" in line for line in second)
    assert not any("# via" in line for line in first)


def test_the_lock_keeps_to_what_pyproject_asks_for():
    for requirement in direct():
        assert locked()[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_the_lock_holds_all_that_the_direct_packages_need_here():
    waiting = direct()
    seen = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        extras = requirement.extras or {""}
        if (name, *extras) in seen:
            continue
        seen.add((name, *extras))
        version = importlib.metadata.version(name)
        assert locked().get(name) == version, f"{name} {version} is installed, the lock says {locked().get(name)}"
        assert version in requirement.specifier, requirement
        needs = [Requirement(line) for line in importlib.metadata.requires(name) or []]
        waiting += [r for r in needs if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in {*extras, ""})]
    assert len(seen) > 100


@pytest.mark.parametrize(("extra", "lock"), EXTRA_LOCKS.items())
def test_what_one_target_alone_needs_is_pinned_apart_and_named_nowhere_else(extra, lock):
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line[0] != "#"]
    pinned = {line.split("==")[0] for line in lines}
    assert all(re.match(r"[a-z0-9-]+==\d[\w.]* +# via ", line) for line in lines)
    asked = {canonicalize_name(Requirement(line).name) for line in PROJECT["optional-dependencies"][extra]}
    assert asked and asked <= pinned
    assert not pinned & set(locked())
    setup = (ROOT / "helpers/setup.sh").read_text()
    assert f"for_{extra}={lock}\n" in setup and f"install $for_{extra}" in setup
    assert f"@helpers/setup.sh {extra}\n" in (ROOT / "Makefile").read_text()


# conda and Binder -----------------------------------------------------------------------------------------------------


def test_environment_yml_takes_python_and_the_server_from_conda_and_the_rest_from_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *from_conda, pip = environment["dependencies"]
    assert pip == {"pip": ["-r requirements.txt"]}
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    names = {word.split("=")[0] for word in from_conda}
    assert names == {"python", "pip", "mysql-server"}
    assert not names & set(locked()), "named twice: conda and pip would fight over it"


def test_every_place_that_names_pythons_names_the_same():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][0].removeprefix("python=")
    tested = workflow("test.yml")["jobs"]["mariadb"]["strategy"]["matrix"]["python"]
    first, last = tested[0], tested[-1]
    assert tested == [f"3.{minor}" for minor in range(int(first[2:]), int(last[2:]) + 1)]
    assert conda in tested
    assert PROJECT["requires-python"] == f">={first}"
    for lock in ("requirements.txt", *EXTRA_LOCKS.values()):
        assert f"for Python {first} to {last}" in (ROOT / lock).read_text().splitlines()[0]
    assert f"Python {first} to {last}" in (ROOT / "README.md").read_text(encoding="utf-8")
    setup = (ROOT / "helpers/setup.sh").read_text()
    assert f"({first} to {last})" in setup and f">= (3, {int(last[2:]) + 1})" in setup
    searched = re.search(r"\$\{PYTHON:-python3 ([^}]*)\}", setup)[1]
    assert searched.split() == [f"python{version}" for version in reversed(tested)]


def test_environment_yml_says_which_version_of_the_server_it_relies_on():
    text = (ROOT / "environment.yml").read_text()
    (asked,) = re.findall(r"^  - mysql-server=([\d.]+)$", text, re.M)
    named = re.findall(r"^#.*\bmysql-server ([\d.]+)", text, re.M)
    assert named == [asked]


@pytest.mark.parametrize("name", ["environment.yml", "requirements.txt"])
def test_binder_links_to_the_files_of_the_top(name):
    # conda and mamba resolve "-r requirements.txt" beside the environment.yml that they are given: both must be links
    link = ROOT / "binder" / name
    assert link.is_symlink()
    assert os.readlink(link) == f"../{name}"
    assert link.samefile(ROOT / name)


@pytest.fixture
def broken_python(tmp_path):
    """A PATH on which every python fails."""
    for name in ("python", "python3"):
        script = tmp_path / name
        script.write_text("#!/bin/sh\nexit 3\n")
        script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_binder_scripts_can_be_run(name):
    assert os.access(ROOT / "binder" / name, os.X_OK)
    assert run("bash", "-n", ROOT / "binder" / name).returncode == 0


def test_binder_start_becomes_the_command_even_if_the_server_fails(broken_python, tmp_path):
    command = [ROOT / "binder/start", "sh", "-c", 'echo "$$ $1"; exit 7', "sh", "two words"]
    with subprocess.Popen(command, env=broken_python, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        said = process.communicate()[0]
    assert said == f"{process.pid} two words\n"
    assert process.returncode == 7


def test_binder_start_holds_the_server_from_whatever_folder_it_is_run_in(tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho "$PWD $*" >"${0%/*}/unfinished" && mv "${0%/*}/unfinished" "${0%/*}/said"\n')
    python.chmod(0o755)
    wait = f"while [ ! -e {tmp_path}/said ]; do sleep 0.05; done"
    env = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert run(ROOT / "binder/start", "sh", "-c", wait, cwd=tmp_path, env=env).returncode == 0
    assert (tmp_path / "said").read_text() == f"{ROOT} -m helpers.server hold\n"


def test_binder_post_build_stops_where_a_step_fails(broken_python):
    assert run(ROOT / "binder/postBuild", env=broken_python).returncode == 3


@pytest.mark.slow
def test_binder_post_build_readies_all_in_an_empty_home_with_one_processor_and_two_gigabytes(place, tmp_path):
    home = tmp_path / "home"  # on Binder the repository is the home
    shutil.copytree(ROOT, home, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT, "benchmarks"))
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = place.environment | {"HOME": str(home), "PATH": path, "COURSE_ROWS": "3000"}
    limited = "ulimit -v 2097152; exec taskset -c 0 binder/postBuild"
    done = run("bash", "-c", limited, cwd=home, env=environment)
    assert done.returncode == 0, done.stdout
    assert "The table user_data in the database ALX_prodev is ready." in done.stdout
    assert "The table user_data in the database ALX_prodev_3000 is ready." in done.stdout
    assert len(list(home.glob(".jupyter/lab/workspaces/*"))) == 1
    lessons = sorted(path.name for path in notebooks.LESSONS.glob("*.ipynb"))
    assert sorted(path.name for path in home.glob("my_lessons/*.ipynb")) == lessons
    assert place.run(PEOPLE) == "1000"


# other doors ----------------------------------------------------------------------------------------------------------


def test_the_devcontainer_does_what_make_does():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    make, target = container["postCreateCommand"].split()
    assert make == "make" and target in make_targets()
    pythons = workflow("test.yml")["jobs"]["mariadb"]["strategy"]["matrix"]["python"]
    assert container["image"].rpartition(":")[2] in pythons
    (first,) = container["customizations"]["codespaces"]["openFiles"]
    assert first == f"my_lessons/{min(path.name for path in notebooks.LESSONS.glob('*.ipynb'))}" and target == "copies"
    settings = container["customizations"]["vscode"]["settings"]
    assert settings["python.defaultInterpreterPath"] == "${workspaceFolder}/.venv/bin/python"
    assert settings["jupyter.notebookFileRoot"] == "${fileDirname}", "a lesson's kernel starts in notebooks/"


FIRST_CELLS = """
import sys
from helpers import notebooks
path = [*sys.path]
for lesson in sorted(notebooks.LESSONS.glob("*.ipynb")):
    sys.path[:] = path
    exec(next(cell.source for cell in notebooks.read(lesson).cells if cell.cell_type == "code"), {})
print("all")
"""


def test_the_first_cells_work_where_some_settings_of_vs_code_start_kernels():
    """In the project's folder; Lab, nbval and VS Code itself start them in the notebook's, as strict nbval does."""
    done = run(sys.executable, "-c", FIRST_CELLS, cwd=ROOT)
    assert done.stdout == "all\n", done.stdout


@pytest.mark.torture
@pytest.mark.parametrize("lesson", sorted(notebooks.LESSONS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_each_lesson_alone_passes_nbval_where_no_server_was(place, lesson, tally):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", f"notebooks/{lesson.name}"]
    with tally(f"lesson {lesson.stem[:2]} opened first") as row, row.one_try():
        done = run(*command, env=place.environment)
        assert done.returncode == 0, done.stdout[-3000:]


def test_windows_gets_a_clear_word(monkeypatch):
    monkeypatch.setattr(server, "fcntl", None)  # as where it cannot be imported
    with pytest.raises(server.ServerError, match="needs Linux or macOS. On Windows, .* WSL or on Binder"):
        server.ensure()


def test_the_helpers_are_imported_without_what_windows_lacks():
    without = "import sys, psutil; sys.modules.update(dict.fromkeys(['fcntl', 'resource', 'pwd', 'grp', 'termios']))"
    rooms = "check, connection, databases, domains, memory, plots, seed, server, users"
    done = run(sys.executable, "-c", f"{without}; from helpers import {rooms}")
    assert done.returncode == 0, done.stdout


WORKFLOWS = sorted(path.name for path in (ROOT / ".github/workflows").iterdir())


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_may_only_read_and_name_actions_by_their_commits(name):
    text = (ROOT / ".github/workflows" / name).read_text()
    assert workflow(name)["permissions"] == {"contents": "read"}
    more = {job: steps["permissions"] for job, steps in workflow(name)["jobs"].items() if "permissions" in steps}
    assert more == ({"publish": {"pages": "write", "id-token": "write"}} if name == "pages.yml" else {})
    used = re.findall(r"uses: (.*)", text)
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action) for action in used)
    for target in re.findall(r"run: make (\w+)", text):
        assert target in make_targets()


# the driver -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_c_extension_of_the_driver_loads_inside_a_kernel():
    manager, client = jupyter_client.manager.start_new_kernel(kernel_name="python3")
    said = []
    try:
        reply = client.execute_interactive(
            "import ssl, mysql.connector; print(mysql.connector.HAVE_CEXT)",
            output_hook=lambda message: said.append(message["content"].get("text", message["content"])),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert reply["content"]["status"] == "ok", reply["content"]
    assert [text for text in said if isinstance(text, str)] == ["True\n"]
