"""The table of images: every cell stays the text that it is, and what is wrong is said."""

import pytest
from mirimask.errors import MaskError
from study.images import read_images, read_table


def write(folder, text, name="own.tsv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("code", ["001", "NA", "1e5", "2E10", "nan", "None", "0x1F", "1.0", "null"])
def test_codes_stay_text(tmp_path, code):
    images = read_images([write(tmp_path, f"image\ti2d\n{code}\ta.fits\n")])
    assert list(images) == [code]
    assert images[code]["image"] == code


def test_a_hash_inside_a_cell_is_part_of_it(tmp_path):
    text = "# my images\nimage\ti2d\tcatalogue\n#B\tb.fits\t\nA\tplain.fits#1\tc#2.csv # new\n"
    images = read_images([write(tmp_path, text)])
    assert list(images) == ["A"]
    assert images["A"]["i2d"] == "plain.fits#1"
    assert images["A"]["catalogue"] == "c#2.csv # new"


def test_every_column_is_there_and_empty_where_not_given(tmp_path):
    (row,) = read_images([write(tmp_path, "image\ti2d\nA\ta.fits\n")]).values()
    columns = "image program observation filter observation_id i2d err wht segm catalogue crop"
    assert list(row) == [*columns.split(), "pixel_unit"]
    assert {key for key, cell in row.items() if cell} == {"image", "i2d"}


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("own.tsv", "image\ti2d\nA\ta.fits\n", "utf-8-sig"),
        ("own.tsv", "image\ti2d\r\nA\ta.fits\r\n", "utf-8"),
        ("own.tsv", "image\ti2d\rA\ta.fits\r", "utf-8"),
        ("own.csv", "image,i2d\nA,a.fits\n", "utf-8-sig"),
        ("own.csv", 'image,i2d,,\nA,"a.fits",,\n,,,\n', "utf-8"),
        ("own.csv", " image , i2d\n A ,a.fits \n\n", "utf-8"),
        ("own.txt", "image,i2d\nA,a.fits", "utf-8"),
        ("own.tsv", "\n# comment\nimage\ti2d\n\n# another\nA\ta.fits\t\n", "utf-8"),
    ],
)
def test_as_spreadsheets_and_editors_write_it(tmp_path, name, text, encoding):
    images = read_images([write(tmp_path, text, name, encoding)])
    assert list(images) == ["A"]
    assert images["A"]["i2d"] == "a.fits"


@pytest.mark.parametrize(
    ("name", "text", "encoding", "says"),
    [
        ("own.tsv", "image,i2d\nA,a.fits\n", "utf-8", "separated by commas.*tabs.*name it .csv"),
        ("own.csv", "image\ti2d\nA\ta.fits\n", "utf-8", "separated by tabs.*name it .tsv"),
        ("own.csv", "image;i2d\nA;a.fits\n", "utf-8", "separated by semicolons"),
        ("own.tsv", "image i2d\nA a.fits\n", "utf-8", "separated by blanks"),
        ("own.tsv", "Image\tI2D\nA\ta.fits\n", "utf-8", "'Image' .*'image'.*'I2D' .*'i2d'"),
        ("own.tsv", "image\ti2d\nA\ta.fits\n", "utf-16", "UTF-16"),
        ("own.tsv", "image\ti2d\nA\ta.fits\n", "utf-16-le", "UTF-16"),
        ("own.tsv", "image\ti2d\nA\tä.fits\n", "latin-1", r"not text in UTF-8 \(line 2\)"),
        ("own.tsv", "", "utf-8", "it is empty"),
        ("own.tsv", "# a comment\n\n", "utf-8", "it is empty"),
        ("own.tsv", "i2d\na.fits\n", "utf-8", "'image' is a required"),
        ("own.tsv", "image\ti2d\n", "utf-8", "has no row"),
        ("own.tsv", "image\timage\nA\tB\n", "utf-8", "column image more than once"),
        ("own.tsv", "image\t\ti2d\nA\t\ta.fits\n", "utf-8", "column 2 has no name"),
        ("own.tsv", "image\ti2d\nA\ta.fits\tmore\n", "utf-8", "row 'A' has more cells"),
        ("own.tsv", "image\tcatalog\nA\tc.csv\n", "utf-8", "'catalog' is no column.*'catalogue'"),
        ("own.tsv", "image\tcolour\nA\tred\n", "utf-8", "known: image, program, observation"),
        ("own.tsv", 'image\ti2d\nA\t"a.fits\n', "utf-8", "cannot be read"),
    ],
)
def test_what_is_no_table_of_images(tmp_path, name, text, encoding, says):
    with pytest.raises(MaskError, match=says) as error:
        read_images([write(tmp_path, text, name, encoding)])
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(MaskError, match=r"nowhere.tsv' cannot be read: No such file"):
        read_table(tmp_path / "nowhere.tsv", what="images")


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (["A", "A"], "A more than once"),
        (["img1", "Img1"], "'img1' and 'Img1'.*same"),
        (["All"], "'All', as tables call the sum"),
        (["all"], "'all', as tables call the sum"),
        (["."], r"row '.'"),
        ([".."], r"row '..'"),
        (["a/b"], "row 'a/b'"),
        (["a b"], "row 'a b'"),
        (["é"], "row 'é'"),
        (["a" * 300], "too long"),
    ],
)
def test_codes_that_cannot_be_files_or_rows(tmp_path, codes, says):
    rows = "".join(f"{code}\ta.fits\n" for code in codes)
    with pytest.raises(MaskError, match=says):
        read_images([write(tmp_path, f"image\ti2d\n{rows}")])


def test_a_code_in_two_tables(tmp_path):
    paths = [write(tmp_path, "image\ti2d\nA\ta.fits\n", name) for name in ("1.tsv", "2.tsv")]
    with pytest.raises(MaskError, match="A more than once"):
        read_images(paths)
