"""The set-up holds together: the lock, conda, Binder, make, the data, and a driver that is fast inside a kernel."""

import csv
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import unicodedata
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import jupyter_client.manager
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import PEOPLE

from helpers import notebooks, server

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SCREEN = 45  # lines of text on a screen


def run(*command, **options):
    """Run a command and return it finished: its status, and what it said to both outputs as one text in `stdout`."""
    options = {"cwd": ROOT, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
    return subprocess.run([str(word) for word in command], **options)


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


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BROWSER_LOCK = "helpers/tests/requirements.txt"


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


def test_what_drives_the_browser_is_pinned_apart_and_named_nowhere_else():
    lines = [line for line in (ROOT / BROWSER_LOCK).read_text().splitlines() if line[0] != "#"]
    pinned = {line.split("==")[0] for line in lines}
    assert all(re.match(r"[a-z0-9-]+==\d[\w.]* +# via ", line) for line in lines)
    assert {Requirement(line).name for line in PROJECT["optional-dependencies"]["browser"]} == {"playwright"} <= pinned
    assert not pinned & set(locked())
    setup = (ROOT / "helpers/setup.sh").read_text()
    assert f"for_browser={BROWSER_LOCK}\n" in setup and "install $for_browser" in setup


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
    for lock in ("requirements.txt", BROWSER_LOCK):
        assert f"for Python {first} to {last}" in (ROOT / lock).read_text().splitlines()[0]
    assert f"Python {first} to {last}" in README
    searched = re.search(r"\$\{PYTHON:-python3 ([^}]*)\}", (ROOT / "helpers/setup.sh").read_text())[1]
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
    shutil.copytree(ROOT, home, symlinks=True, ignore=shutil.ignore_patterns(".*", "my_lessons", "benchmarks"))
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


def make_targets():
    """Return the names of all targets of the Makefile."""
    return set(re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1].split())


def test_the_devcontainer_does_what_make_does():
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    make, target = container["postCreateCommand"].split()
    assert make == "make" and target in make_targets()
    pythons = workflow("test.yml")["jobs"]["mariadb"]["strategy"]["matrix"]["python"]
    assert container["image"].rpartition(":")[2] in pythons
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


# README.md ------------------------------------------------------------------------------------------------------------


def test_the_readme_is_no_longer_than_three_screens():
    lines = [line for line in README.splitlines() if line.strip()]
    assert len(lines) <= 3 * SCREEN


def test_the_readme_speaks_to_learners_then_teachers_then_maintainers():
    assert re.findall(r"^## (.*)", README, re.M) == ["Learn", "Teach", "Maintain"]


def test_what_the_readme_names_is_there():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"(?:`|^    |&& )make ([a-z]+)", README, re.M):
        assert target in make_targets(), target
    for name in re.findall(r"`([\w/]+\.(?:py|yml|toml|txt|sh))`", README):
        assert (ROOT / name).exists() or (ROOT / "helpers" / name).exists(), name


def test_the_readme_has_a_row_for_every_lesson_in_both_tables():
    numbers = sorted(path.name[:2] for path in notebooks.LESSONS.glob("*.ipynb"))
    assert re.findall(r"^\| \[(\d\d) .*?\| \d+ \+ \d+ \|", README, re.M) == numbers
    assert re.findall(r"^\| (\d\d) \| \d+ \| .+ \| .+\? \| .+ \|$", README, re.M) == numbers


# git ------------------------------------------------------------------------------------------------------------------


def test_git_compares_and_merges_notebooks_where_nbdime_is_not_set_up(tmp_path):
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    lesson = tmp_path / "a.ipynb"
    lines = [f"line {number}\n" for number in range(20)]

    def git(*words):
        done = run("git", "-c", "user.name=A", "-c", "user.email=a@example.org", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def commit(number, text):
        lesson.write_text("".join([*lines[:number], text, *lines[number + 1 :]]))
        changed = git("diff")
        git("add", ".")
        git("commit", "-qm", text.strip())
        return changed

    git("init", "-q", "-b", "main")
    commit(0, lines[0])
    git("branch", "other")
    assert "+first\n" in commit(0, "first\n")
    git("checkout", "-q", "other")
    commit(19, "last\n")
    git("merge", "-q", "main")
    assert lesson.read_text() == "".join(["first\n", *lines[1:19], "last\n"])


# make and helpers/setup.sh --------------------------------------------------------------------------------------------


def test_make_alone_lists_every_target_that_people_use():
    listed = run("make", env={**os.environ, "MAKEFLAGS": ""})
    assert listed.returncode == 0
    phony = re.search(r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(), re.M)[1].split()
    internal = {"venv", "ready"}
    assert re.findall(r"^  make (\w+) +\S", listed.stdout, re.M) == [t for t in phony if t not in internal]


def test_make_lab_opens_the_first_lesson_and_rows_makes_it_big():
    said = run("make", "-n", "lab", "ROWS=7", env={**os.environ, "MAKEFLAGS": ""}).stdout
    lesson = re.search(r"default_url=/lab/tree/(\S+)", said)[1]
    assert lesson == min(f"my_lessons/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb"))
    said = run("make", "-n", "lab", "LESSON=02", env={**os.environ, "MAKEFLAGS": ""}).stdout
    assert "default_url=/lab/tree/my_lessons/02_stream_users.ipynb" in said
    shown = run("make", "-s", "-f", "Makefile", "-f", "-", "rows", "ROWS=7", input="rows: ; @echo $$COURSE_ROWS")
    assert shown.stdout == "7\n"


@pytest.fixture(scope="module")
def selection():
    """The root's conftest.py, which selects tests for `make quick` and `make test LESSON=02`."""
    spec = importlib.util.spec_from_file_location("selection", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_that_make_quick_and_lesson_name_are_there(selection):
    files = {path.stem for path in (ROOT / "helpers/tests").glob("test_*.py")}
    assert files >= selection.QUICK
    for starts in selection.BELONGING.values():
        assert all(any(name.startswith(start) for name in files) for start in starts)


@pytest.mark.parametrize(
    ("test", "lesson"),
    [
        ("notebooks/02_stream_users.ipynb::Cell 3", "02"),
        ("helpers/tests/test_lessons.py::test_the_parts_stand_in_order[02_stream_users]", "02"),
        ("helpers/tests/test_answers.py::test_an_answer[02-1-stream_users-1-right0]", "02"),
        ("helpers/tests/test_check_wrong.py::test_it[stream_users-fetchall]", "02"),
        ("helpers/tests/test_check_wrong.py::test_it[stream_users_in_batches-list]", "03"),
        ("helpers/tests/test_dask.py::test_it", "07"),
        ("helpers/tests/test_server.py::test_it", None),
    ],
)
def test_a_lesson_is_tested_with_what_belongs_to_it(selection, test, lesson):
    item = SimpleNamespace(nodeid=test, path=Path(test.partition("::")[0]))
    numbers = [path.stem[:2] for path in sorted(notebooks.LESSONS.glob("*.ipynb"))]
    assert [number for number in numbers if selection._belongs(item, number)] == ([lesson] if lesson else [])


# What stands for Python on the machine below. It has no ensurepip until the file `apt` is there, and no server program
# until then either; the environment that it makes holds a copy of itself.
PYTHON = """
case "$*" in
  *ensurepip*|*helpers.server*) [ -e "$APT" ] ;;
  *python%d*) echo python3.11-venv ;;
  "-m venv .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


class Machine:
    """A machine of fakes: a copy of the set-up in a project's folder, and a PATH that holds little else."""

    def __init__(self, folder):
        self.folder, self.project, self.programs = folder, folder / "project", folder / "bin"
        (self.project / "helpers").mkdir(parents=True)
        self.programs.mkdir()
        for tool in ["sh", "env", "dirname", "cmp", "mktemp", "tail", "rm", "cp", "mkdir"]:
            (self.programs / tool).symlink_to(shutil.which(tool))
        (self.project / "helpers/tests").mkdir()
        for name in ("helpers/setup.sh", "helpers/lab_settings.json", "requirements.txt", BROWSER_LOCK):
            shutil.copy(ROOT / name, self.project / name)
        self.add("python3", PYTHON)

    def add(self, name, script):
        """Add a program that logs its arguments, then does as `script` says."""
        program = self.programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{script}\n')
        program.chmod(0o755)

    def debian(self, root):
        """Make it a Debian, where apt-get can be used by root or by nobody."""
        self.add("apt-get", 'case "$*" in install*) : >"$APT" ;; esac')
        self.add("id", f"echo {0 if root else 1000}")
        self.add("sudo", "exit 1")

    def setup(self, *arguments, **environment):
        """Run setup.sh there."""
        environment |= {"PATH": str(self.programs), "LOG": str(self.folder / "log"), "APT": str(self.folder / "apt")}
        return run(self.project / "helpers/setup.sh", *arguments, cwd=self.folder, env=environment)

    def calls(self, start):
        """Return the logged calls that start like `start`."""
        return [line for line in (self.folder / "log").read_text().splitlines() if line.startswith(start)]


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_setup_without_a_new_enough_python_says_which_were_tried(machine):
    machine.add("python3", "exit 1")
    done = machine.setup("venv")
    assert done.returncode == 1
    assert (
        "No Python 3.11 or newer found (looked for python3, python3.14, python3.13, python3.12, python3.11)"
        in done.stdout
    )
    assert "make lab PYTHON=" in done.stdout


def test_setup_installs_the_lock_once_and_again_when_it_changed(machine):
    (machine.folder / "apt").touch()
    for _ in range(2):
        assert machine.setup("venv").returncode == 0
    install = "python3 -m pip install --quiet --disable-pip-version-check -r requirements.txt"
    assert machine.calls("python3 -m") == ["python3 -m venv .venv", install]
    with open(machine.project / "requirements.txt", "a") as lock:
        lock.write("more==1\n")
    assert machine.setup("venv").returncode == 0
    assert machine.calls("python3 -m") == ["python3 -m venv .venv", install, install]


def test_setup_broken_off_in_the_middle_is_done_again(machine):
    (machine.folder / "apt").touch()
    machine.add("python3", PYTHON.replace("*ensurepip*", "*install*) exit 5 ;;\n  *ensurepip*"))
    assert machine.setup("venv").returncode == 5
    machine.add("python3", PYTHON)
    assert machine.setup("venv").returncode == 0
    assert len(machine.calls("python3 -m pip install")) == 2
    assert (machine.project / ".venv/installed").exists()


def test_setup_takes_the_python_that_is_asked_for(machine):
    (machine.folder / "apt").touch()
    machine.add("python3", PYTHON.replace("*ensurepip*", "-V) echo 3.11 ;;\n  *ensurepip*"))
    machine.add("python3.13", PYTHON.replace("*ensurepip*", "-V) echo 3.13 ;;\n  *ensurepip*"))
    assert machine.setup("venv").returncode == 0
    for _ in range(2):
        assert machine.setup("venv", PYTHON="python3.13").returncode == 0
    assert len(machine.calls("python3.13 -m venv")) == 1
    assert machine.calls("python3 -m venv") == ["python3 -m venv .venv"]


@pytest.mark.parametrize(
    ("part", "package"),
    [("venv", "python3.11-venv"), ("server", "mariadb-server-core mariadb-client-core"), ("browser", "chromium")],
)
def test_setup_installs_what_debian_leaves_out_as_root_and_only_once(machine, part, package):
    machine.debian(root=True)
    if part != "venv":
        (machine.project / ".venv/bin").mkdir(parents=True)
        shutil.copy(machine.programs / "python3", machine.project / ".venv/bin/python")
    if part == "browser":
        machine.add("apt-get", 'case "$*" in install*) : >"$APT"; cp "$0" "${0%/*}/chromium" ;; esac')
    for _ in range(2):
        done = machine.setup(part)
        assert done.returncode == 0, done.stdout
    assert machine.calls("apt-get") == ["apt-get update", f"apt-get install -y --no-install-recommends {package}"]


@pytest.mark.parametrize("debian", [True, False])
def test_setup_without_root_stops_with_the_line_to_type(machine, debian):
    if debian:
        machine.debian(root=False)
    done = machine.setup("venv")
    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stdout
    done = machine.setup("browser")
    assert done.returncode == 1
    assert "sudo apt-get install chromium" in done.stdout
    if debian:
        assert machine.calls("apt-get") == []


def test_every_place_installs_the_same_packages_on_debian():
    texts = [(ROOT / name).read_text() for name in ("helpers/setup.sh", ".github/workflows/test.yml")]
    lines = [re.search(r"(mariadb-server-core[a-z -]*)", text)[1].strip() for text in [*texts, server.INSTALL]]
    assert lines == ["mariadb-server-core mariadb-client-core"] * 3, "the first calls a program of the second"


@pytest.mark.parametrize("debian", [True, False])
def test_setup_without_a_server_and_without_root_says_what_to_install(machine, debian):
    if debian:
        machine.debian(root=False)
    (machine.project / ".venv/bin").mkdir(parents=True)
    python = machine.project / ".venv/bin/python"
    python.write_text(f'#!/bin/sh\ncd "{ROOT}" && COURSE_MYSQLD=/no/such/server exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    done = machine.setup("server")
    assert done.returncode == 1
    assert "/no/such/server" in done.stdout.splitlines()[-1], "the last word is that of helpers.server"


def test_setup_with_a_server_of_ones_own_looks_for_none(machine):
    machine.debian(root=True)
    assert machine.setup("server", MYSQL_HOST="db.example.com").returncode == 0
    assert not (machine.folder / "log").exists()


# data/user_data.csv ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def people():
    """The rows of user_data.csv."""
    with open(ROOT / "data/user_data.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def test_the_data_is_what_its_script_makes(tmp_path):
    done = run(sys.executable, ROOT / "data/make_user_data.py", tmp_path / "again.csv")
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "again.csv").read_bytes() == (ROOT / "data/user_data.csv").read_bytes()


def test_every_field_of_the_data_is_quoted():
    header, *lines = (ROOT / "data/user_data.csv").read_text(encoding="utf-8").splitlines()
    assert header == '"name","email","age"'
    for line in lines:
        assert re.fullmatch(r'"(?:[^"]|"")+","[^"]+","\d+"', line), line


def test_the_ages_tell_over_25_from_25_or_more(people):
    ages = Counter(int(person["age"]) for person in people)
    assert ages.total() == 1000
    assert ages[25] == 10
    assert (min(ages), max(ages)) == (1, 120)


def test_the_emails_differ_and_reach_nobody(people):
    addresses = {person["email"].lower() for person in people}
    assert len(addresses) == len(people)
    assert all(re.fullmatch(r"[a-z0-9.-]+@example\.(com|org|net)", address) for address in addresses)


def test_the_names_hold_what_breaks_careless_programs(people):
    names = [person["name"] for person in people]
    assert any("O'Brien" in name for name in names)
    assert any(name.endswith(", Jr.") for name in names)
    assert any('"' in name for name in names)
    for script in ("LATIN", "GREEK", "CYRILLIC", "HEBREW", "ARABIC", "DEVANAGARI", "HANGUL", "CJK", "HIRAGANA"):
        assert any(unicodedata.name(letter).startswith(script) for letter in set("".join(names))), script
    assert any(max(name) > "\uffff" for name in names), "nothing that needs utf8mb4"
    assert max(map(len, names)) <= 255


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
