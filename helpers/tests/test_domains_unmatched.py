"""A rank source that matches nothing is stopped before it writes NULL over good ranks."""

import pytest
from domain_rows import write

from helpers import domains
from helpers.databases import ask
from helpers.domains.__main__ import main

ROWS = 1_800


@pytest.fixture
def ranked(own_database):
    """A table of ROWS domains that all have their number as rank."""
    domains.fill(ROWS)
    ask("UPDATE domains SET alexa_rank = id")


def good_ranks():
    return ask("SELECT COUNT(*) FROM domains WHERE alexa_rank = id")[0][0]


def listed(tmp_path, form, numbers=range(1, ROWS + 1)):
    """Return a rank source of a list with a line for each number."""
    return domains.TrancoRanks(write(tmp_path / "list.csv", "".join(f"{n},{form.format(n)}\n" for n in numbers)))


@pytest.mark.parametrize(
    ("form", "hint"),
    [
        ("other{}.example", None),
        ("www.site{}.example", "would match with www. in front: those are other names"),
    ],
    ids=["other domains", "the list has www."],
)
def test_a_list_that_matches_nothing_writes_nothing_and_says_what_was_compared(ranked, tmp_path, form, hint):
    with pytest.raises(ValueError, match="None of 1,800 domains from all over the table") as raised:
        domains.update_ranks(listed(tmp_path, form))
    said = str(raised.value)
    assert "(site1.example, site2.example, site3.example, …)" in said
    assert f"in 'ranks of list.csv' ({form.format(1)}, {form.format(2)}, " in said
    assert "--allow-unmatched" in said
    assert (hint in said) if hint else ("would match" not in said)
    assert good_ranks() == ROWS
    assert ask("SELECT done FROM domains_checkpoint") == [(0,)]


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [("www.", "would match without www. in front"), ("http://", "would match without http://")],
)
def test_domains_of_the_table_in_another_form_are_told_not_guessed(ranked, tmp_path, prefix, hint):
    ask("UPDATE domains SET domain = CONCAT(%s, domain)", prefix)
    with pytest.raises(ValueError, match=hint):
        domains.update_ranks(listed(tmp_path, "site{}.example"))
    assert good_ranks() == ROWS


def test_domains_of_the_table_with_capitals_and_a_final_dot_match(ranked, tmp_path):
    ask("UPDATE domains SET domain = UPPER(CONCAT(domain, '.')), alexa_rank = NULL")
    assert domains.update_ranks(listed(tmp_path, "site{}.example")).unranked == 0
    assert good_ranks() == ROWS


def test_told_to_go_on_it_writes_null(ranked, tmp_path):
    done = domains.update_ranks(listed(tmp_path, "other{}.example"), allow_unmatched=True)
    assert (done.rows, done.unranked) == (ROWS, ROWS)
    assert ask("SELECT COUNT(alexa_rank) FROM domains") == [(0,)]


def test_the_command_line_stops_and_goes_on_too(ranked, tmp_path, capsys):
    listed(tmp_path, "other{}.example").close()
    command = ["rank", "--tranco", str(tmp_path / "list.csv")]
    assert main(command) == 1
    assert "None of 1,800 domains" in capsys.readouterr().err
    assert good_ranks() == ROWS
    assert main([*command, "--allow-unmatched"]) == 0
    assert good_ranks() == 0


def test_a_list_that_matches_far_behind_the_first_batch_goes_on(ranked, tmp_path):
    done = domains.update_ranks(listed(tmp_path, "site{}.example", range(1_700, ROWS)), target_seconds=1e-9)
    assert (done.rows, done.unranked) == (ROWS, ROWS - 100)


def test_a_job_goes_on_where_the_rest_of_the_table_has_no_rank(ranked, tmp_path):
    source = listed(tmp_path, "site{}.example")
    domains.update_ranks(source)
    ask("INSERT INTO domains (domain) VALUES ('new1.example'), ('new2.example')")
    assert domains.update_ranks(source).unranked == 2


def test_any_source_that_gives_none_to_all_is_stopped(ranked):
    def knows_nothing(names):
        return [None] * len(names)

    with pytest.raises(ValueError, match="has a rank in 'knows_nothing'. Nothing was written"):
        domains.update_ranks(knows_nothing)
    assert good_ranks() == ROWS


def test_a_few_domains_without_a_rank_lose_nothing_and_are_no_fault(own_database, tmp_path):
    domains.fill(3)
    assert domains.update_ranks(listed(tmp_path, "other{}.example")).unranked == 3


def test_a_large_table_with_holes_is_looked_at_all_over(ranked, tmp_path):
    ask("INSERT INTO domains (id, domain) VALUES (4000000000, 'last.example')")
    with pytest.raises(ValueError, match="None of 1,001 domains"):  # 50 places, 1,000 rows at the most in each
        domains.update_ranks(listed(tmp_path, "other{}.example"))
