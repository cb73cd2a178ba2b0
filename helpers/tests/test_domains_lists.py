"""Rank lists in files: what is read, what is refused, and how both are said."""

import zipfile

import pytest
from domain_rows import write

from helpers import domains, memory
from helpers.domains import ranks as ranks_module

MOST_MIB = 32  # above the baseline


def test_tranco_gives_ranks_in_the_order_asked_and_none_for_the_unknown(tmp_path):
    path = write(tmp_path / "list.csv", "1,b.example\n2,a.example\n4294967295,c-d_e.example\n")
    ranks = domains.TrancoRanks(path)
    asked = ["a.example", "no.example", "b.example", "a.example", "", "it's; odd", "c-d_e.example"]
    assert ranks(asked) == [2, None, 1, 2, None, None, 4294967295]
    assert ranks([]) == []
    ranks.close()


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize(
    "content",
    ["1,a.example\r\n2,b.example\r\n", b"\xef\xbb\xbf1,a.example\n2,b.example\n", "1,A.Example\n2,b.example"],
    ids=["CRLF", "byte order mark", "capitals, no last line end"],
)
def test_tranco_reads_what_lists_look_like(tmp_path, content, zipped):
    ranks = domains.TrancoRanks(write(tmp_path / "list", content, zipped))
    assert ranks(["a.example", "A.EXAMPLE", "b.example"]) == [1, 1, 2]
    ranks.close()


def test_tranco_keeps_the_better_rank_of_a_domain_that_is_there_twice(tmp_path):
    ranks = domains.TrancoRanks(write(tmp_path / "list", "7,a.example\n3,b.example\n5,a.example\n9,B.example\n"))
    assert ranks(["a.example", "b.example"]) == [5, 3]
    ranks.close()


MALFORMED = {
    "rank 0": "0,x.example", "negative rank": "-1,x.example", "rank too large": "4294967296,x.example",
    "rank in words": "one,x.example", "domain alone": "x.example", "no rank": ",x.example", "no domain": "3,",
    "rank alone": "3", "a third field": "3,x.example,y", "a blank behind the rank": "3 ,x.example",
    "a blank in the domain": "3,x y.example", "a letter that is not ASCII": "3,münchen.example",
    "NUL": "3,x\x00.example",
    "a blank line in the middle": "", "an Arabic digit": "٣,x.example", "quotes": '"3","x.example"',
    "256 characters": "3," + "x" * 256, "5,000 characters": "3," + "x" * 5000, "5,000 digits": "9" * 5000,
}  # fmt: skip


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "zipped"])
@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED)
def test_tranco_names_the_file_and_the_line_that_is_malformed(tmp_path, line, zipped):
    path = write(tmp_path / "list", f"1,a.example\n2,b.example\n{line}\n4,c.example\n", zipped)
    with pytest.raises(ValueError, match="line 3: the (rank|domain) is ") as raised:
        domains.TrancoRanks(path)
    assert str(path) in str(raised.value)
    assert len(str(raised.value)) < len(str(path)) + 250
    assert list(tmp_path.iterdir()) == [path]  # no index, and none half made


def test_tranco_names_the_line_whose_bytes_are_no_text(tmp_path):
    with pytest.raises(ValueError, match="line 2: the domain is "):
        domains.TrancoRanks(write(tmp_path / "list", b"1,a.example\n2,\xff\xfe.example\n"))


def test_tranco_says_that_a_list_is_empty(tmp_path):
    path = write(tmp_path / "list", "")
    with pytest.raises(ValueError, match="is empty"):
        domains.TrancoRanks(path)
    with pytest.raises(ValueError, match="is empty"):
        domains.TrancoRanks(write(tmp_path / "zipped", "", zipped=True))


def test_tranco_refuses_a_zip_file_that_is_broken_or_has_not_one_file(tmp_path):
    whole = write(tmp_path / "whole.zip", "1,a.example\n" * 1000, zipped=True).read_bytes()
    data = whole.index(b"list.csv") + len(b"list.csv") + 4
    broken = write(tmp_path / "broken.zip", whole[:data] + bytes(8) + whole[data + 8 :])
    with pytest.raises(ValueError, match="cannot be unzipped"):
        domains.TrancoRanks(broken)
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", "1,a.example\n")
        archive.writestr("b.csv", "1,b.example\n")
    with pytest.raises(ValueError, match="there are 2 files"):
        domains.TrancoRanks(tmp_path / "two.zip")


def test_tranco_makes_its_index_once_and_again_when_the_list_has_changed(tmp_path, monkeypatch):
    path = write(tmp_path / "list", "1,a.example\n")
    domains.TrancoRanks(path).close()
    with monkeypatch.context() as patched:
        patched.setattr(ranks_module, "read_ranks", lambda path: pytest.fail("the list was read again"))
        again = domains.TrancoRanks(path)
    assert again(["a.example"]) == [1]
    again.close()
    write(path, "12,a.example\n")
    changed = domains.TrancoRanks(path)
    assert changed(["a.example"]) == [12]
    changed.close()


def test_tranco_makes_an_index_anew_that_is_none(tmp_path):
    path = write(tmp_path / "list", "1,a.example\n")
    (tmp_path / "list.index").write_text("something else")
    ranks = domains.TrancoRanks(path)
    assert ranks(["a.example"]) == [1]
    ranks.close()


def test_tranco_holds_no_more_of_a_long_list_than_of_a_short_one(tmp_path):
    def peak(lines):
        scattered = (f"{n},site{n * 7919 % lines}.example\n" for n in range(1, lines))
        path = write(tmp_path / f"list{lines}", "".join(scattered))
        return memory.measure(lambda: domains.TrancoRanks(path).close()).peak

    assert peak(300_000) < min(1.3 * peak(120_000), MOST_MIB)  # both fill SQLite's cache, which has a limit
