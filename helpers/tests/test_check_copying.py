"""What a learner's code finds in its folder: all that is the solution's, and no link, pipe or device that leads out."""

import csv
import os
import socket
import threading

import nbformat
import pytest
from answers import tables
from solutions import FUNCTIONS, SEED, STREAM, bad, seen

from helpers import notebooks
from helpers.check import folder, handed_in, whole_class
from helpers.check.copying import copied, needed

SECRET = "what only the teacher may read"
LINK = "A check follows only relative links inside the folder: hand in what it names."


@pytest.fixture
def solution(tmp_path):
    """An empty folder of a learner's; beside it stand files and folders of the teacher's."""
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks/ada.csv").write_text(SECRET)
    (tmp_path / "marks.csv").write_text(SECRET)
    (tmp_path / "solution").mkdir()
    return tmp_path / "solution"


@pytest.fixture
def copy(solution, tmp_path):
    """Give a function that copies the solution; it returns the copy, and what was left out."""

    def make():
        (tmp_path / "copy").mkdir()
        return tmp_path / "copy/solution", copied(solution, tmp_path / "copy/solution")

    return make


LINKS = {
    "beside": "../marks.csv",
    "a folder beside": "../marks",
    "absolute": "{tmp_path}/marks.csv",
    "absolute, to itself": "{tmp_path}/solution/users.csv",
    "through a folder of its own": "data/../../marks.csv",
    "through another link": "through/marks.csv",
    "to the parent": "..",
    "everything": "/",
    "a device without an end": "/dev/zero",
    "nothing": "nowhere.csv",
    "itself": "link",
    "a loop": "loop",
    "a virtual environment": ".venv/secret.py",
}


@pytest.mark.parametrize("where", LINKS)
def test_a_link_out_of_the_folder_is_left_out_and_named(solution, copy, tmp_path, where):
    (solution / "data").mkdir()
    (solution / ".venv").mkdir()
    (solution / ".venv/secret.py").touch()
    (solution / "users.csv").write_text("name,email,age\n")
    (solution / "through").symlink_to("..")
    (solution / "loop").symlink_to("link")
    target = LINKS[where].format(tmp_path=tmp_path)
    (solution / "link").symlink_to(target)
    where, without = copy()
    assert without["link"].startswith(f"'link' is a link to '{target[:40]}")
    assert without["link"].endswith(LINK)
    assert {path.name for path in where.iterdir()} == {"data", "users.csv"}
    assert (solution / "link").is_symlink()  # what was handed in is as it was


def test_a_link_that_stays_inside_stays_a_link(solution, copy):
    (solution / "data").mkdir()
    (solution / "data/users.csv").write_text("name,email,age\n")
    (solution / "user_data.csv").symlink_to("data/users.csv")
    (solution / "again.csv").symlink_to("user_data.csv")
    (solution / "folder").symlink_to("data")
    (solution / "data/up").symlink_to("..")
    where, without = copy()
    assert without == {}
    (where / "again.csv").write_text("changed")
    assert (where / "data/up/folder/users.csv").read_text() == "changed"
    assert (solution / "data/users.csv").read_text() == "name,email,age\n"
    assert os.readlink(where / "user_data.csv") == "data/users.csv"


def test_a_link_in_a_folder_that_cannot_be_written_is_left_out_as_well(solution, copy):
    (solution / "data").mkdir()
    (solution / "data/marks.csv").symlink_to("../../marks.csv")
    (solution / "data").chmod(0o555)
    where, without = copy()
    (solution / "data").chmod(0o755)
    assert [*without] == ["data/marks.csv"]
    assert [*(where / "data").iterdir()] == []


def test_pipes_and_sockets_are_left_out_and_named(solution, copy, monkeypatch):
    (solution / "seed.py").touch()
    os.mkfifo(solution / "pipe")
    monkeypatch.chdir(solution)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        where, without = copy()
    said = "'{0}' is a {0}: a check copies only files and folders."
    assert without == {name: said.format(name) for name in ("pipe", "socket")}
    assert [path.name for path in where.iterdir()] == ["seed.py"]


@pytest.mark.parametrize(
    "name",
    [".git/objects/x", "node_modules/x/x.js", "mine/pyvenv.cfg", "conda/conda-meta/history", "lib/site-packages/x.py"],
)
def test_what_is_large_and_not_part_of_the_solution_is_not_copied(solution, copy, name):
    (solution / name).parent.mkdir(parents=True)
    (solution / name).touch()
    (solution / "env").write_text("DB_PASS=x\n")  # a file of that name is theirs
    where, without = copy()
    assert [path for path in where.rglob("*") if path.is_file()] == [where / "env"]
    assert without == {}


def test_what_is_needed_is_what_a_text_names():
    without = {"data/user_data.csv": "csv", "helper.py": "module", "tools": "folder", ".env": "dotenv"}
    assert needed(without, "No such file or directory: '/tmp/gc-1/solution/data/user_data.csv'") == ["csv"]
    assert needed(without, "ModuleNotFoundError: No module named 'helper'") == ["module"]
    assert needed(without, "No such file: 'tools/users.csv'") == ["folder"]
    assert needed(without, "could not open .env") == ["dotenv"]
    assert needed(without, "a toolset, helpers, user_data and my.environment") == []


# What the learner is told ---------------------------------------------------------------------------------------------


def look(solution, name):
    function = FUNCTIONS[name]
    return folder.one(solution, solution / function.file, function, True)


def test_code_that_needs_a_link_out_of_the_folder_is_told(checking_server, solution):
    (solution / "0-stream_users.py").write_text("open('marks.csv').read()\n" + STREAM)
    (solution / "seed.py").write_text(SEED)
    (solution / "marks.csv").symlink_to("../marks.csv")
    (solution / "unused.csv").symlink_to("../marks.csv")
    report = look(solution, "stream_users")
    assert "No such file or directory: 'marks.csv'" in bad(report)[0].observed
    assert f"· 'marks.csv' is a link to '../marks.csv'. {LINK}" in seen(report)
    assert SECRET not in seen(report) and "unused" not in seen(report)


def test_a_module_that_is_a_link_out_of_the_folder_is_no_missing_package(checking_server, solution, tmp_path):
    (tmp_path / "reading.py").write_text(STREAM)
    (solution / "reading.py").symlink_to("../reading.py")
    (solution / "0-stream_users.py").write_text("from reading import stream_users\n")
    report = look(solution, "stream_users")
    assert not report.unable
    assert "No module named 'reading'" in bad(report)[0].observed
    assert "· 'reading.py' is a link to '../reading.py'." in seen(report)


def test_a_task_that_is_a_link_out_of_the_folder_is_not_looked_at(checking_server, solution, tmp_path):
    (tmp_path / "0-stream_users.py").write_text(STREAM)
    (solution / "0-stream_users.py").symlink_to("../0-stream_users.py")
    assert look(solution, "stream_users").problem == f"'0-stream_users.py' is a link to '../0-stream_users.py'. {LINK}"


def test_links_that_are_not_needed_are_not_spoken_of(checking_server, solution):
    (solution / "0-stream_users.py").write_text(STREAM)
    (solution / "code").mkdir()
    (solution / "code/seed.py").write_text(SEED)
    (solution / "seed.py").symlink_to("code/seed.py")
    (solution / "everything").symlink_to("/")
    report = look(solution, "stream_users")
    assert report and "everything" not in seen(report), str(report)


# A class --------------------------------------------------------------------------------------------------------------


def hand_in(path):
    """Write a lesson whose first turn is answered right."""
    notebook = nbformat.read(notebooks.find("00"), as_version=4)
    first = handed_in.turns("00")[0].cell
    next(cell for cell in notebook.cells if cell.id == first).source = tables()["00"][0].right[0]
    nbformat.write(notebook, path)


def test_a_notebook_that_is_a_link_out_of_a_learners_folder_is_nobodys_answer(tmp_path):
    name = "00_iterators_and_generators.ipynb"
    (tmp_path / "ada").mkdir()
    (tmp_path / "bo").mkdir()
    hand_in(tmp_path / "ada" / name)
    (tmp_path / "bo" / name).symlink_to(f"../ada/{name}")
    answer = whole_class.check_one(tmp_path / "bo")
    assert answer["marks"] == {}
    assert answer["problem"].endswith(f"; {name!r} is a link to '../ada/{name}'. {LINK}")


def test_what_a_link_leads_to_is_not_read_to_see_whether_a_learner_has_changed_something(tmp_path):
    learner = tmp_path / "ada"
    learner.mkdir()
    (learner / "endless.py").symlink_to("/dev/zero")
    (learner / "all").symlink_to("/")
    os.mkfifo(learner / "pipe.py")
    found = []
    thread = threading.Thread(target=lambda: found.append(whole_class.fingerprint(learner, "")), daemon=True)
    thread.start()
    thread.join(60)
    assert found
    (learner / "all").unlink()
    (learner / "all").symlink_to("/tmp")
    assert whole_class.fingerprint(learner, "") != found[0]


def test_a_class_with_links_everywhere_is_checked(checking_server, tmp_path):
    learner = tmp_path / "class/ada"
    learner.mkdir(parents=True)
    (tmp_path / "seed.py").write_text(SEED)
    (learner / "0-stream_users.py").write_text(STREAM)
    for name in ("seed.py", "marks.ipynb", "all"):
        (learner / name).symlink_to(f"../../{name}" if name == "seed.py" else "/")
    answers = whole_class.check_class(tmp_path / "class")
    assert answers["ada"]["marks"]["Task 0"] == "–"
    assert answers["ada"]["details"]["Task 0"] == f"'seed.py' is a link to '../../seed.py'. {LINK}"
    assert answers["ada"]["marks"]["Task 1"] == "✘"
    assert f"'marks.ipynb' is a link to '/'. {LINK}" in answers["ada"]["problem"]
    whole_class.write_csv(answers, tmp_path / "grades.csv")
    with open(tmp_path / "grades.csv", newline="", encoding="utf-8-sig") as file:
        assert next(csv.DictReader(file))["Task 0"] == "not checked"
