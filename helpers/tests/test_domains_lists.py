"""Rank lists in files: what is read, what is refused, and how both are said."""

import bz2
import gzip
import lzma
import re
import subprocess
import sys
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


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("a.example.", "a.example"),
        ("a.example", "A.Example."),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("xn--mnchen-3ya.example", "münchen.example"),
    ],
    ids=["a final dot in the list", "a final dot in the table", "an IDN in the list", "an IDN that is asked for"],
)
def test_domains_are_compared_as_the_dns_does(tmp_path, listed, asked):
    ranks = domains.TrancoRanks(write(tmp_path / "list", f"1,b.example\n7,{listed}\n"))
    assert ranks([asked, "www." + asked, "faß.example"]) == [7, None, None]  # www. is part of a name
    ranks.close()


@pytest.mark.parametrize("end", ["\n", "\n\n", "\r\n\r\n  \r\n"], ids=["none", "one", "two"])
def test_blank_lines_at_the_end_are_no_lines(tmp_path, end):
    ranks = domains.TrancoRanks(write(tmp_path / "list", "1,a.example\n2,b.example" + end))
    assert ranks(["b.example"]) == [2]
    ranks.close()


# The first lines of the lists that people publish ---------------------------------------------------------------------

PUBLISHED = {
    "Tranco, Alexa": "1,google.com\r\n2,microsoft.com\r\n",
    "Cisco Umbrella": "1,google.com\n2,microsoft.com\n3,com\n",
    "Majestic Million": "GlobalRank,TldRank,Domain,TLD,RefSubNets,RefIPs,IDN_Domain,IDN_TLD,PrevGlobalRank,PrevTldRank,"
    "PrevRefSubNets,PrevRefIPs\n1,1,google.com,com,474277,2224870,google.com,com,1,1,473982,2222810\n"
    "2,2,microsoft.com,com,474000,2224000,microsoft.com,com,2,2,473000,2222000\n",
    "DomCop": '"Rank","Domain","Open Page Rank"\n"1","google.com","10.00"\n"2","microsoft.com","9.91"\n',
    "Cloudflare Radar": 'rank,domain,categories\n1,google.com,"Search Engines;Technology, all"\n2,microsoft.com,\n',
}


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("content", PUBLISHED.values(), ids=PUBLISHED)
def test_the_columns_of_published_lists_are_read(tmp_path, content, pack):
    ranks = domains.TrancoRanks(write(tmp_path / "list", pack(content.encode())))
    assert ranks(["microsoft.com", "google.com", "example.com"]) == [2, 1, None]
    assert ranks.examples(2) == ["google.com", "microsoft.com"]
    ranks.close()


@pytest.mark.parametrize(
    "row", ['1,1,"google.com', "2,2", "x,1,google.com"], ids=["open quote", "too short", "no rank"]
)
def test_a_malformed_line_of_a_published_list_is_named(tmp_path, row):
    content = "GlobalRank,TldRank,Domain\n1,1,a.example\n" + row + "\n"
    if row.count('"'):
        content = content.replace('"google', '"goo gle')
    with pytest.raises(ValueError, match="line 3: the (rank|domain) is"):
        domains.TrancoRanks(write(tmp_path / "list", content))


REFUSED = {
    "CrUX": ("list.csv", "origin,rank\r\nhttps://google.com,1000\r\nhttp://www.a.example:8080,5000\r\n", "CrUX",
             [("google.com", 1000), ("www.a.example", 5000)]),
    "Radar's bucket": ("cloudflare-radar_top-2000-domains_20261101-20261108.csv", "domain\ngoogle.com\na.example\n",
                       "bucket of Cloudflare Radar", [("google.com", 2000), ("a.example", 2000)]),
    "Radar's bucket, renamed": ("it's a list.csv", "domain\ngoogle.com\n", "the bucket's size for 1000",
                                [("google.com", 1000)]),
    "URLs": ("list.csv", "1,google.com\n2,http://www.b.example/index?a=1\n3,HTTPS://c.example:80\n", "line 2: .* URL",
             [("google.com", 1), ("www.b.example", 2), ("c.example", 3)]),
}  # fmt: skip


@pytest.mark.parametrize("packed", ["", ".gz", ".zip"], ids=["plain", "gzip", "zip"])
@pytest.mark.parametrize(("name", "content", "says", "converted"), REFUSED.values(), ids=REFUSED)
def test_lists_without_ranks_of_domains_are_refused_with_the_line_that_converts_them(
    tmp_path, name, content, says, converted, packed
):
    data = gzip.compress(content.encode()) if packed == ".gz" else content
    path = write(tmp_path / (name + packed), data, zipped=packed == ".zip")
    with pytest.raises(ValueError, match=says) as raised:
        domains.TrancoRanks(path)
    line = re.search("convert it: (.* > ranks.csv)", str(raised.value))[1]
    assert packed != ".zip" or line.startswith("unzip -p ")
    if packed == ".zip":  # not every machine has unzip
        line = line.replace("unzip -p", f"{sys.executable} -c 'import sys, zipfile; sys.stdout.buffer.write("
                            "zipfile.ZipFile(sys.argv[1]).read(\"list.csv\"))'")  # fmt: skip
    subprocess.run(line, shell=True, check=True, cwd=tmp_path)
    assert list(domains.read_ranks(tmp_path / "ranks.csv")) == converted


# Packed files ---------------------------------------------------------------------------------------------------------


def test_what_macos_adds_to_a_zip_file_does_not_count(tmp_path):
    path = tmp_path / "list.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("list.csv", "__MACOSX/._list.csv", "._list.csv", ".DS_Store"):
            archive.writestr(name, "1,a.example\n" if name == "list.csv" else b"\0\5\x16\7")
    ranks = domains.TrancoRanks(path)
    assert ranks(["a.example"]) == [1]
    ranks.close()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "gzip"])
@pytest.mark.parametrize("kept", [0.1, 0.6, 0.99])
def test_a_packed_list_that_is_cut_off_is_said_to_be(tmp_path, zipped, kept):
    content = "".join(f"{n},site{n * 7919 % 10007}.example\n" for n in range(1, 10_000))
    data = write(tmp_path / "whole", content, zipped=True).read_bytes() if zipped else gzip.compress(content.encode())
    cut = write(tmp_path / "cut", data[: int(kept * len(data))])
    with pytest.raises(ValueError, match="cut: the (zip|gzip) file is cut off.* Download it again"):
        domains.TrancoRanks(cut)


@pytest.mark.parametrize(
    ("start", "says"),
    [(bz2.compress(b"1,a.example"), "bzip2"), (lzma.compress(b"1,a.example"), "xz"), (b"\x28\xb5\x2f\xfd\0\0", "zstd"),
     ("1,a.example".encode("utf-16"), "UTF-16. Save it as UTF-8")],
    ids=["bzip2", "xz", "zstd", "UTF-16"],
)  # fmt: skip
def test_files_that_are_not_read_are_named(tmp_path, start, says):
    with pytest.raises(ValueError, match=says):
        domains.TrancoRanks(write(tmp_path / "list", start))


def test_tranco_keeps_the_better_rank_of_a_domain_that_is_there_twice(tmp_path):
    ranks = domains.TrancoRanks(write(tmp_path / "list", "7,a.example\n3,b.example\n5,a.example\n9,B.example\n"))
    assert ranks(["a.example", "b.example"]) == [5, 3]
    ranks.close()


MALFORMED = {
    "rank 0": "0,x.example", "negative rank": "-1,x.example", "rank too large": "4294967296,x.example",
    "rank in words": "one,x.example", "domain alone": "x.example", "no rank": ",x.example", "no domain": "3,",
    "rank alone": "3", "a third field": "3,x.example,y", "a blank behind the rank": "3 ,x.example",
    "a blank in the domain": "3,x y.example", "two ASCII forms": "3,faß.example",
    "no ASCII form": "3,a\u200db.example", "a dot alone": "3,.", "an empty label": "3,é..example",
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
    with pytest.raises(ValueError, match=r"there are 2 files in it \(a.csv, b.csv\)"):
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
