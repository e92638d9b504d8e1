"""Tables in files: texts stay texts, numbers are numbers."""

import math

import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from mirimask.errors import DamagedFile, MaskError
from mirimask.table_files import (
    as_csv,
    read_by_mask,
    read_ecsv,
    read_json,
    read_table,
    read_tables,
    read_texts,
    reasons,
    write_csv,
    write_ecsv,
    write_reason,
)

TEXTS = ["001", "NA", "1e5", "2E10", "nan", "None", "inf", "True", "1.50", "+1", "", "null"]
TEXTS += ["4655349652394811137", "12345678901234567890123", "=1+2", "a, b", 'é "x"', "#1", "x\ny"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_texts_go_in_and_out_of_a_csv(tmp_path, encoding):
    table = pd.DataFrame({"id": TEXTS, "image": TEXTS[::-1], "x": np.arange(len(TEXTS)) / 2})
    table.to_csv(tmp_path / "t.csv", index=False, encoding=encoding)
    read = read_table(tmp_path / "t.csv")
    assert read["id"].tolist() == TEXTS
    assert read["image"].tolist() == TEXTS[::-1]
    np.testing.assert_array_equal(read["x"], table["x"])
    assert read_texts(tmp_path / "t.csv")["id"].tolist() == TEXTS


def test_a_column_that_holds_nothing_but_numbers_to_the_eye(tmp_path):
    (tmp_path / "t.csv").write_text("image,method,setting\n001,value_1,1\n002,value_1,2\n")
    assert read_table(tmp_path / "t.csv")["image"].tolist() == ["001", "002"]
    assert read_table(tmp_path / "t.csv")["setting"].tolist() == [1, 2]
    assert read_table(tmp_path / "t.csv", texts=["setting"])["setting"].tolist() == ["1", "2"]


def test_numbers_flags_and_empty_cells(tmp_path):
    (tmp_path / "t.csv").write_text("x,n,flag,far,domain\n1.5,1,True,inf,\n,2,False,-inf,\n")
    read = read_table(tmp_path / "t.csv")
    assert [str(kind) for kind in read.dtypes[:4]] == ["float64", "int64", "bool", "float64"]
    assert math.isnan(read["x"][1])
    assert read["far"].tolist() == [math.inf, -math.inf]
    assert read["domain"].tolist() == ["", ""]


def test_a_row_that_begins_like_a_comment_is_no_comment_in_ecsv(tmp_path):
    table = Table({"id": ["#1", "2", "# x"], "note": ["a", "#b", "c"], "ra": [1.0, 2.0, 3.0]})
    write_ecsv(tmp_path / "t.ecsv", table)
    read = Table.read(tmp_path / "t.ecsv", format="ascii.ecsv")
    assert read["id"].tolist() == ["#1", "2", "# x"]
    assert read["ra"].tolist() == [1, 2, 3]
    write_ecsv(tmp_path / "t.ecsv", table[1:2])
    assert Table.read(tmp_path / "t.ecsv").colnames == table.colnames  # no need, no change


def test_tables_of_masks_have_image_and_mask_in_columns(tmp_path):
    paths = []
    for image, mask in (("001", "value_4.6"), ("B", "segmentation")):
        paths.append(tmp_path / image / f"{mask}.csv")
        paths[-1].parent.mkdir()
        write_csv(paths[-1], pd.DataFrame({"id": ["1"], "x": [1 / 3]}))
    table = read_by_mask(paths)
    assert table.values.tolist() == [
        ["1", 0.333333, "001", "value_4.6"],
        ["1", 0.333333, "B", "segmentation"],
    ]
    assert list(table.columns) == ["id", "x", "image", "method"]


def test_tables_below_each_other_without_what_could_not_be_measured(tmp_path):
    a, b, c, d = (tmp_path / f"{name}.csv" for name in "abcd")
    write_csv(a, pd.DataFrame({"image": ["001"], "n": [1]}))
    write_csv(b, pd.DataFrame({"image": ["002"], "n": [2]}))
    write_csv(c, pd.DataFrame({"image": [], "n": []}))
    write_reason(d, "003", "too small, and dark.")
    table = read_tables([a, d, c, b])
    assert table.to_dict("list") == {"image": ["001", "002"], "n": [1, 2]}
    assert str(table["n"].dtype) == "int64"  # the table without rows has no say
    assert reasons([a, b, c, d]) == {"003": "too small, and dark."}
    assert list(read_tables([c]).columns) == ["image", "n"]
    assert list(read_tables([d], ["image", "n"]).columns) == ["image", "n"]
    with pytest.raises(MaskError, match="no image could be measured; 003: too small"):
        read_tables([d])


def test_a_table_that_lost_a_column_is_damaged(tmp_path):
    a, b = tmp_path / "a.csv", tmp_path / "b.csv"
    write_csv(a, pd.DataFrame({"image": ["001"], "n": [1]}))
    write_csv(b, pd.DataFrame({"image": ["002"], "n": [2], "p_value": [0.5]}))
    with pytest.raises(DamagedFile, match=r"a.csv': damaged, it has no column p_value"):
        read_tables([a, b])


def test_numbers_have_six_digits(tmp_path):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"x": [1 / 3, 1e-12 / 3], "n": [1234567, 2]}))
    assert (tmp_path / "t.csv").read_text() == "x,n\n0.333333,1234567\n3.33333e-13,2\n"


def test_positions_on_the_sky_have_digits_enough_for_a_milliarcsecond(tmp_path):
    table = pd.DataFrame(
        {
            "id": ["a", "b"],
            "ra": [287.826421987, math.nan],
            "dec": [-1.5, 0.0000123456],
            "x": [123.456789, math.nan],
            "n": [1234567, 2],
        }
    )
    write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text().splitlines() == [
        "id,ra,dec,x,n",
        "a,287.826422,-1.5,123.457,1234567",
        "b,,1.23456e-05,,2",
    ]
    write_csv(tmp_path / "t.csv", table, digits=8)
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == (
        "a,287.826422,-1.5,123.45679,1234567"
    )
    texts = table.assign(ra=["287.82642198765", ""])  # as an archive wrote them
    assert as_csv(texts).splitlines()[1].startswith("a,287.82642198765,-1.5,")


@pytest.mark.parametrize("damaged", [b"", b"\x00\xff\xfe" * 40, b'"a,b\n1,2\n3'])
@pytest.mark.parametrize(
    ("read", "kind"),
    [
        (read_table, "CSV table"),
        (read_texts, "table"),
        (read_ecsv, "ECSV table"),
        (read_json, "JSON"),
    ],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, read, kind, damaged):
    path = tmp_path / "a file"
    path.write_bytes(damaged)
    with pytest.raises(DamagedFile, match=f"'{path}': damaged, it is no {kind} .*; remove it, and"):
        read(path)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (read_table, "image,x,y\nA,1,2\nB,1\n"),
        (read_ecsv, "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: x, datatype: int64}\nx\n1\n25\n"),
    ],
)
def test_a_table_that_is_cut_off_within_a_line_is_damaged(tmp_path, read, text):
    path = tmp_path / "t"
    path.write_text(text)
    assert len(read(path)) == 2
    path.write_text(text[:-1])  # what is left is a row, and may be a wrong one
    with pytest.raises(DamagedFile, match=r"it ends within a line\); remove it"):
        read(path)
    if read is read_table:
        assert len(read(path, by_hand=True)) == 2


def test_a_file_that_is_not_there_is_not_damaged(tmp_path):
    for read in (read_table, read_texts, read_ecsv, read_json):
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none")
