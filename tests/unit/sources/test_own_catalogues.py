"""A person's own catalogues: every form that is understood, one clear message for each that is not.

Right values are those that the files are written with.
"""

import bz2
import gzip
import lzma
import re
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import Angle, SkyCoord
from astropy.io import fits
from astropy.table import MaskedColumn, QTable, Table
from mirimask.errors import MaskError
from mirimask.sources.conditions import fulfilled
from mirimask.sources.own_catalogues import KNOWN_COLUMNS, read_catalogue

SOURCES = {
    "name": ["b1", "a2", "c3"],
    "alpha": [80.0, np.nan, 80.2],
    "delta": [-69.5, -69.4, -69.3],
}
COLUMNS = {"id_": "name", "ra": "alpha", "dec": "delta"}


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("c.ecsv", "ascii.ecsv"),
        ("c.csv", "ascii.csv"),
        ("c.tsv", "ascii.tab"),
        ("c.vot", "votable"),
        ("c.xml", "votable"),
        ("c.fits", "fits"),
        ("c.cat", "ascii.commented_header"),
        ("c.txt", "ascii.basic"),
        ("c.dat", "ascii.csv"),
    ],
)
def test_catalogues_of_every_format_give_the_same_table(tmp_path, name, format_):
    table = Table(SOURCES | {"flux": [1.0, 2.0, 3.0]})
    table.write(tmp_path / name, format=format_)
    read = read_catalogue(tmp_path / name, **COLUMNS)
    assert read.colnames == ["name", "alpha", "delta", "flux"]
    assert read["name"].tolist() == SOURCES["name"]
    # not finite is kept: it is counted where sources are placed
    np.testing.assert_array_equal(read["alpha"].filled(np.nan), SOURCES["alpha"])
    np.testing.assert_array_equal(read["flux"], [1, 2, 3])
    assert read["alpha"].unit == u.deg
    read.write(tmp_path / "again.ecsv", format="ascii.ecsv")
    again = Table.read(tmp_path / "again.ecsv")
    np.testing.assert_array_equal(again["delta"], SOURCES["delta"])


@pytest.mark.parametrize("end", ["", "\n", "\n \n"])
def test_a_machine_readable_table_ends_with_its_last_source(tmp_path, end):
    """As the AAS journals print them; astropy takes an empty line for a row of nothing."""
    table = Table({"name": ["b1", "a2"], "alpha": [80.0, 80.1], "delta": [-69.5, -69.4]})
    table.write(tmp_path / "c.mrt", format="ascii.mrt")
    text = (tmp_path / "c.mrt").read_text().rstrip("\n") + "\n"
    (tmp_path / "c.mrt").write_text(text + end)
    read = read_catalogue(tmp_path / "c.mrt", **COLUMNS)
    assert read["name"].tolist() == ["b1", "a2"]
    assert read["alpha"].tolist() == [80.0, 80.1]


@pytest.mark.parametrize("ra", ["5:34:24.14", "5h34m24.14s"])
def test_names_in_a_comment_above_sexagesimal_positions_are_the_names(tmp_path, ra):
    (tmp_path / "c.txt").write_text(f"# id ra dec\na {ra} -5:24:08.2\nb 5:34:25 -5:24:09\n")
    with pytest.raises(MaskError, match=rf"column 'ra' .*value '{ra}'.*Give decimal degrees"):
        read_catalogue(tmp_path / "c.txt", id_="id", ra="ra", dec="dec")


def test_masked_cells_and_other_angle_units(tmp_path):
    table = Table(SOURCES)
    table["alpha"] = MaskedColumn([80.0, 1.0, 80.2], mask=[0, 1, 0], unit="deg")
    table["delta"] = np.radians(SOURCES["delta"]) * u.rad
    table.write(tmp_path / "c.ecsv")
    read = read_catalogue(tmp_path / "c.ecsv", **COLUMNS)
    assert read["alpha"].mask.tolist() == [False, True, False]
    np.testing.assert_allclose(read["delta"], SOURCES["delta"])


def test_a_pipelines_sky_centroid_gives_the_coordinates(tmp_path):
    table = QTable({"label": [4, 7]})
    table["sky_centroid"] = SkyCoord([80.0, 80.1], [-69.5, -69.4], unit="deg")
    table.write(tmp_path / "cat.ecsv")
    read = read_catalogue(tmp_path / "cat.ecsv", id_="label", ra="RAJ2000", dec="DEJ2000")
    np.testing.assert_allclose(read["RAJ2000"], [80.0, 80.1])
    np.testing.assert_allclose(read["DEJ2000"], [-69.5, -69.4])
    assert read["label"].tolist() == ["4", "7"]


def test_positions_in_one_column_are_read_whatever_it_is_called(tmp_path):
    """A photutils catalogue as CSV has texts, other tables a SkyCoord of any name and system."""
    sky = SkyCoord([80.0, 80.1], [-69.5, -69.4], unit="deg")
    columns = {"id_": "id", "ra": ("RAJ2000", "ra"), "dec": ("DEJ2000", "dec")}
    table = QTable({"id": [4, 7], "sky_centroid": sky})
    table.write(tmp_path / "photutils.csv")
    assert "80.0,-69.5" in (tmp_path / "photutils.csv").read_text()
    other = QTable({"id": [4, 7], "coord": sky.galactic})
    other.write(tmp_path / "other.ecsv")
    other.write(tmp_path / "other.fits")
    named = columns | {"ra": "coord", "dec": "coord"}
    for path, asked in (
        ("photutils.csv", columns),
        ("other.ecsv", columns),
        ("other.ecsv", named),
        ("other.fits", columns),
    ):
        read = read_catalogue(tmp_path / path, **asked)
        ra, dec = (read[read.meta["columns"][key]] for key in ("ra", "dec"))
        np.testing.assert_allclose(ra, [80.0, 80.1])
        np.testing.assert_allclose(dec, [-69.5, -69.4])
        read.write(tmp_path / "again.ecsv", overwrite=True)
    # columns of the names that are asked for come first
    both = QTable({"id": [4, 7], "ra": [10.0, 11.0], "dec": [1.0, 2.0], "sky_centroid": sky})
    both.write(tmp_path / "both.ecsv")
    assert read_catalogue(tmp_path / "both.ecsv", **columns)["ra"].tolist() == [10, 11]
    (tmp_path / "c.csv").write_text("id,sky_centroid\n1,05:20:00 -69:00\n")
    with pytest.raises(MaskError, match=r"no column 'RAJ2000' or 'ra'; it has id, sky_centroid"):
        read_catalogue(tmp_path / "c.csv", **columns)


def test_rows_are_numbered_where_the_catalogue_has_no_identifier(tmp_path, caplog):
    Table(SOURCES).write(tmp_path / "c.csv")
    read = read_catalogue(tmp_path / "c.csv", id_="objID", ra="alpha", dec="delta")
    assert read["objID"].tolist() == ["1", "2", "3"]
    assert "no column 'objID'" in caplog.text


@pytest.mark.parametrize("source", [None, "", "file"])
def test_no_catalogue_or_one_without_rows_is_legal(tmp_path, source):
    if source == "file":
        source = tmp_path / "c.csv"
        source.write_text("name,alpha,delta\n")
    read = read_catalogue(source, **COLUMNS)
    assert len(read) == 0
    assert read.colnames == ["name", "alpha", "delta"]
    read.write(tmp_path / "again.ecsv")
    assert len(Table.read(tmp_path / "again.ecsv")) == 0


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("none.csv", None, "there is no such file; correct its path"),
        ("c.csv", "name,x,y\na,1,2\n", r"no column 'alpha'; it has name, x, y\. Set catalogue.ra"),
        (
            "c.csv",
            "name,alpha\na,1\n",
            r"no column 'delta'; it has name, alpha.*catalogue.dec.*declin",
        ),
        ("c.csv", "name,alpha,delta\na,05:20:00,-69\n", "not an angle as a number. Give decimal"),
        ("c.ecsv", "<html>", "it is a web page, as a server sends in place of a table"),
        (
            "c.ecsv",
            "# %ECSV 1.0\n# ---\n",
            r"cannot be read \(.*Give an ECSV, CSV, VOTable or FITS",
        ),
        ("c.fits", "garbage", "cannot be read"),
        ("c.xml", "garbage", "cannot be read"),
        ("c.cat", "", "cannot be read"),
    ],
)
def test_a_bad_catalogue_is_one_clear_message(tmp_path, name, text, says):
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(MaskError, match=says) as error:
        read_catalogue(path, image="Mine", **COLUMNS)
    assert str(error.value).startswith(f"Mine: catalogue '{path}'")


### text is text ###################################################################################

# What a reader may take for a number, for nothing, or for the end of a cell.
NAMES = [
    "001",
    "NA",
    "1e5",
    "2E10",
    "nan",
    "None",
    "inf",
    "True",
    "1.50",
    "+1",
    "4655349652394811137",
]
NAMES += [
    "12345678901234567890123",
    "null",
    "-",
    "=1+2",
    "@x",
    "a b",
    'a "b" c',
    "a,b",
    "é μ",
    "#1",
]


def table_of(names):
    return Table({"name": names, "alpha": np.linspace(80, 81, len(names)),
                  "delta": np.linspace(-70, -69, len(names))})  # fmt: skip


@pytest.mark.parametrize(
    "format_", ["ascii.csv", "ascii.tab", "ascii.ecsv", "votable", "ascii.basic"]
)
def test_names_stay_as_they_are_written(tmp_path, format_):
    names = NAMES
    if format_ in ("ascii.ecsv", "ascii.basic"):  # to which a line that begins with # is a comment
        names = [name for name in NAMES if name != "#1"]
    table_of(names).write(tmp_path / "c.txt", format=format_)
    assert read_catalogue(tmp_path / "c.txt", **COLUMNS)["name"].tolist() == names


def test_names_of_fits_stay_as_they_are_written(tmp_path):
    ascii_names = [name for name in NAMES if name.isascii()]
    table_of(ascii_names).write(tmp_path / "c.fits")
    read = read_catalogue(tmp_path / "c.fits", **COLUMNS)
    assert read["name"].tolist() == ascii_names


@pytest.mark.parametrize("name", ["001", "1e5", "12", "NA"])
def test_a_column_whose_every_name_looks_like_a_number_is_text(tmp_path, name):
    (tmp_path / "c.csv").write_text(f"name,alpha,delta,flux\n{name},80,-69,0.50\n{name}0,81,-69,\n")
    read = read_catalogue(tmp_path / "c.csv", **COLUMNS)
    assert read["name"].tolist() == [name, f"{name}0"]
    assert read["flux"].filled(-1).tolist() == [0.5, -1]  # other columns are numbers
    read.write(tmp_path / "c.ecsv")
    assert Table.read(tmp_path / "c.ecsv")["name"].tolist() == [name, f"{name}0"]


@pytest.mark.parametrize("blank", ["", "NaN", "--"])
def test_a_column_in_which_nothing_is_written_is_missing_in_every_row(tmp_path, blank):
    """A condition on it drops the rows, as one blank cell among numbers does."""
    path = tmp_path / "c.csv"
    path.write_text(f"name,alpha,delta,mag,kind\na,80.5,-69.5,{blank},star\n")
    table = read_catalogue(path, **COLUMNS)
    assert table["mag"].mask.tolist() == [True]
    assert fulfilled("mag > 20", table).tolist() == [False]
    assert fulfilled("kind == 'star'", table).tolist() == [True]


def test_rows_that_end_early_are_said(tmp_path, caplog):
    path = tmp_path / "c.csv"
    path.write_text("name,alpha,delta,mag\na,80.5,-69.5,20\nb,80.5,-69.6\n")
    table = read_catalogue(path, **COLUMNS)
    assert list(table["delta"]) == [-69.5, -69.6]
    assert list(table["mag"].mask) == [False, True]
    assert "1 of 2 rows have fewer cells than the header names" in caplog.text


def test_a_name_that_is_missing_is_that_of_its_row(tmp_path, caplog):
    table = table_of(["a", "b"])
    table["name"] = MaskedColumn([7, 8], mask=[False, True])
    table.write(tmp_path / "c.vot", format="votable")
    table.write(tmp_path / "c.fits")
    for name in ("c.vot", "c.fits"):
        assert read_catalogue(tmp_path / name, **COLUMNS)["name"].tolist() == ["7", "row 2"]
    assert "1 of 2 rows have no 'name'" in caplog.text


def test_blanks_around_and_line_breaks_in_a_name(tmp_path):
    """Tables of text drop the first; the second would be a row of its own in ECSV."""
    table_of([" a ", "b\u2028c", "d\n\ne"]).write(tmp_path / "c.vot", format="votable")
    read = read_catalogue(tmp_path / "c.vot", **COLUMNS)
    assert read["name"].tolist() == ["a", "b c", "d e"]


### what a file is, is in it #######################################################################


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("format_", ["votable", "fits", "ascii.csv", "ascii.ecsv"])
@pytest.mark.parametrize("name", ["gaia-result.vot.gz", "c", "c.csv"])
def test_the_content_decides_not_the_suffix(tmp_path, pack, format_, name):
    table_of(["a", "b"]).write(tmp_path / "plain", format=format_)
    (tmp_path / name).write_bytes(pack((tmp_path / "plain").read_bytes()))
    read = read_catalogue(tmp_path / name, **COLUMNS)
    assert read["name"].tolist() == ["a", "b"]
    assert read["alpha"].tolist() == [80, 81]


@pytest.mark.parametrize(
    "text",
    [
        "name,alpha,delta\na,80.5,-69.5\n",
        "name;alpha;delta\na;80.5;-69.5\n",
        "name, alpha, delta,\na, 80.5, -69.5,\n",
        '"name","alpha","delta"\r\n"a","80.5","-69.5"\r\n',
        "#name,alpha,delta\na,80.5,-69.5\n",
        "# made by hand\n# on a day\nname,alpha,delta\na,80.5,-69.5\n",
        "# made by hand\n#name alpha delta\na 80.5 -69.5",
        "name alpha  delta\n  a\t80.5  -6.95D+01\n",
        "|name|alpha |delta |\n|char|double|double|\n|    |deg   |deg   |\n a    80.5   -69.5 \n",
        # VizieR, tab-separated: names, units, a rule, cells with blanks
        "#\n#RESOURCE=x\nname\talpha\tdelta\n \tdeg\tdeg\n----\t-----\t-----\na \t 80.5\t-69.5\n\n",
        '#\nname\talpha\tdelta\n \t"h:m:s"\t"d:m:s"\n--\t--\t--\na\t05 22 00\t-69 30 00\n',
        "#   1 name    What it is called\n#   2 alpha   Right ascension   [deg]\n"
        "#   3 delta   Declination   [deg]\n  a 80.5 -69.5\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_of_text(tmp_path, text, encoding):
    (tmp_path / "c.txt").write_bytes(text.encode(encoding))
    read = read_catalogue(tmp_path / "c.txt", **COLUMNS)
    assert read["name"].tolist() == ["a"]
    assert read["alpha"].tolist() == pytest.approx([80.5])
    assert read["delta"].tolist() == pytest.approx([-69.5])


def test_the_table_with_the_columns_is_used_and_said(tmp_path, caplog):
    """An LDAC catalogue: a table of cards before that of the sources."""
    cards = fits.BinTableHDU(Table({"Field Header Card": ["SIMPLE  = T"]}), name="LDAC_IMHEAD")
    sources = fits.BinTableHDU(table_of(["1", "2"]), name="LDAC_OBJECTS")
    fits.HDUList([fits.PrimaryHDU(), cards, sources]).writeto(tmp_path / "ldac.fits")
    assert len(read_catalogue(tmp_path / "ldac.fits", **COLUMNS)) == 2
    assert "has 2 tables: LDAC_OBJECTS is used, not LDAC_IMHEAD" in caplog.text
    with pytest.raises(
        MaskError, match="it has LDAC_IMHEAD: Field Header Card; LDAC_OBJECTS: name"
    ):
        read_catalogue(tmp_path / "ldac.fits", id_="name", ra="RA", dec="delta")


def test_a_votable_that_was_cut_off_warns_and_an_error_is_told(tmp_path, caplog):
    table_of(["a"]).write(tmp_path / "c.vot", format="votable")
    text = (tmp_path / "c.vot").read_text()
    (tmp_path / "cut.vot").write_text(
        text.replace("</RESOURCE>", '<INFO name="QUERY_STATUS" value="OVERFLOW"/></RESOURCE>')
    )
    assert len(read_catalogue(tmp_path / "cut.vot", **COLUMNS)) == 1
    assert "OVERFLOW): sources are missing" in caplog.text
    (tmp_path / "error.vot").write_text(
        text.replace("<TABLE", '<INFO name="QUERY_STATUS" value="ERROR">no such table</INFO><TABLE')
    )
    with pytest.raises(MaskError, match="query that failed: no such table"):
        read_catalogue(tmp_path / "error.vot", **COLUMNS)


@pytest.mark.parametrize(
    ("system", "says"),
    [
        ('system="ICRS" epoch="J2016.0"', ""),
        ('system="eq_FK5" equinox="J2000"', ""),
        ('system="eq_FK5" equinox="J2000.000"', ""),
        ('system="eq_FK5"', ""),
        ('system="eq_FK5" equinox="J1975"', "eq_FK5 J1975"),
        ('system="eq_FK4" equinox="B1950"', "eq_FK4 B1950"),
        ('system="galactic"', "galactic"),
    ],
)
def test_the_system_of_a_votables_positions(tmp_path, system, says):
    """ICRS and FK5 J2000 are read, others were as if they were that, half a degree off."""
    path = tmp_path / "c.vot"
    path.write_text(
        f'<VOTABLE version="1.3"><RESOURCE><COOSYS ID="s" {system}/><TABLE>'
        '<FIELD name="id" datatype="int"/>'
        '<FIELD name="ra" ref="s" datatype="double"/><FIELD name="dec" ref="s" datatype="double"/>'
        '<FIELD name="ra_other" datatype="double"/><FIELD name="dec_other" datatype="double"/>'
        "<DATA><TABLEDATA><TR><TD>1</TD><TD>75.7</TD><TD>-12.1</TD><TD>76.3</TD><TD>-12</TD></TR>"
        "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    )
    if says:
        words = {"id": "--id", "ra": "--ra", "dec": "--dec"}
        with pytest.raises(MaskError, match=f"'ra' is in the system {says} .*set --ra to"):
            read_catalogue(path, id_="id", ra="ra", dec="dec", settings=words)
    else:
        assert read_catalogue(path, id_="id", ra="ra", dec="dec")["ra"][0] == 75.7
    other = read_catalogue(path, id_="id", ra="ra_other", dec="dec_other")
    assert other["ra_other"][0] == 76.3


def test_a_display_format_does_not_round_what_is_kept(tmp_path):
    columns = [fits.Column(name, "D", disp="F8.2", array=[80.123456]) for name in ("alpha", "flux")]
    columns += [fits.Column("delta", "D", array=[-69.5]), fits.Column("name", "1A", array=["a"])]
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "c.fits")
    read_catalogue(tmp_path / "c.fits", **COLUMNS).write(tmp_path / "c.ecsv")
    again = Table.read(tmp_path / "c.ecsv")
    assert (again["alpha"][0], again["flux"][0]) == (80.123456, 80.123456)


def test_columns_that_no_table_of_text_can_hold_are_left(tmp_path):
    columns = [fits.Column("alpha", "D", array=[80.0]), fits.Column("delta", "D", array=[-69.5])]
    columns.append(
        fits.Column("spectrum", "PE()", array=np.array([np.ones(3, "f4")], dtype=object))
    )
    columns.append(fits.Column("five", "5E", array=np.ones((1, 5), "f4")))
    fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "c.fits")
    read = read_catalogue(tmp_path / "c.fits", **COLUMNS)
    assert set(read.colnames) == {"name", "alpha", "delta", "five"}
    read.write(tmp_path / "c.ecsv")


### angles #########################################################################################


@pytest.mark.parametrize(
    ("unit", "alpha", "delta"),
    [
        *(
            (unit, 80.5, -69.5)
            for unit in ("deg", "degree", "degrees", "DEG", "Deg", "deg.", "°", "")
        ),
        ("arcsec", 80.5 * 3600, -69.5 * 3600),
        *((unit, np.radians(80.5), np.radians(-69.5)) for unit in ("rad", "radian", "Radians")),
    ],
)
def test_units_of_angles(tmp_path, unit, alpha, delta):
    columns = [fits.Column("name", "1A", array=["a"])]
    if unit.isascii():
        columns += [
            fits.Column(name, "D", unit=unit or None, array=[value])
            for name, value in (("alpha", alpha), ("delta", delta))
        ]
        fits.BinTableHDU.from_columns(columns).writeto(tmp_path / "c")
    else:
        rule = "----\t----\t----"
        (tmp_path / "c").write_text(
            f"name\talpha\tdelta\n\t{unit}\t{unit}\n{rule}\na\t{alpha}\t{delta}\n"
        )
    read = read_catalogue(tmp_path / "c", **COLUMNS)
    assert read["alpha"].tolist() == pytest.approx([80.5])
    assert read["delta"].tolist() == pytest.approx([-69.5])
    assert read["alpha"].unit == u.deg


@pytest.mark.parametrize("unit", ["hourangle", "h", "hours"])
def test_hours_are_of_right_ascension_alone(tmp_path, unit):
    head = f"name\talpha\tdelta\n\t{unit}\tdeg\n--\t--\t--\n"
    (tmp_path / "c").write_text(head + "a\t5.5\t-69.5\n")
    assert read_catalogue(tmp_path / "c", **COLUMNS)["alpha"].tolist() == [82.5]
    (tmp_path / "c").write_text(head.replace("deg", unit) + "a\t5.5\t-69.5\n")
    with pytest.raises(MaskError, match="no angle of a declination"):
        read_catalogue(tmp_path / "c", **COLUMNS)


@pytest.mark.parametrize("unit", ["pix", "Jy", "-1 deg", "furlong", "mag(AB)"])
def test_a_unit_that_is_no_angle_is_refused(tmp_path, unit):
    head = f"name\talpha\tdelta\n\t{unit}\tdeg\n--\t--\t--\n"
    (tmp_path / "c").write_text(head + "a\t5.5\t-69.5\n")
    with pytest.raises(MaskError, match=f"has the unit '{re.escape(unit)}', which is no angle"):
        read_catalogue(tmp_path / "c", **COLUMNS)


def test_sexagesimal_texts_of_a_votable_are_read_where_the_unit_says_so(tmp_path):
    table = Table({"name": ["a"], "alpha": ["05 22 00.0"], "delta": ["-69 30 00"]})
    table["alpha"].unit, table["delta"].unit = '"h:m:s"', '"d:m:s"'
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # units off the standard
        table.write(tmp_path / "c.vot", format="votable")
    read = read_catalogue(tmp_path / "c.vot", **COLUMNS)
    assert read["alpha"].tolist() == pytest.approx([Angle("5h22m").deg])
    assert read["delta"].tolist() == pytest.approx([-69.5])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "name,alpha,delta,_RA,RA_deg\na,05 22 00,-69 30 00,80.5,80.5\n",
            r"value '05 22 00'\) is not an angle as a number. Give decimal degrees: set "
            "catalogue.ra to one of _RA, RA_deg",
        ),
        (
            "name,alpha,delta\na,80.5,-169\nb,80.5,169\n",
            "no value of column 'delta' is a declination",
        ),
        ("name,alpha,delta\na,1e38,-69\n", "no value of column 'alpha' is a right ascension"),
        ("name;alpha;delta\na;80,5;-69,5\n", "value '80,5'"),
        ("a 80.5 -69.5\nb 80.5 -69.5\n", "Its first line holds numbers"),
        ("name,alpha,alpha\na,1,2\n", "two columns are named 'alpha'"),
        ("name,alpha,delta\na,80.5,-69.5\nb,80.", "its last row has 2 of 3 cells: it is cut off"),
        ("name,alpha,delta\na,b,80.5,-69.5\n", "its row 1 has 4 cells, its header 3 names"),
        # whose cell is missing nobody knows; the magnitude would be taken for the declination
        ("name alpha [deg] delta\na 80.5 -69.5\n", "its row 1 has 3 cells, its header 4 names"),
        ("name band alpha delta\na B 80 -69\nb 80 -69\n", "its row 2 has 3 cells, its header 4"),
        ('name,alpha,delta\n"a,80.5,-69.5\n', "cannot be read"),
        ("name,alpha,delta\n" + "\0" * 99, "it is binary"),
        ("PK\3\4" + "\0" * 99, "it is a zip archive or a spreadsheet"),
        ("SIMPLE  = T", "cannot be read"),
        ("<VOTABLE>", "cannot be read"),
        ("<VOTABLE/>", "it holds no table"),
    ],
)
def test_what_cannot_be_placed_is_one_clear_message(tmp_path, text, says):
    (tmp_path / "c.dat").write_text(text)
    with pytest.raises(MaskError, match=says) as error:
        read_catalogue(tmp_path / "c.dat", **COLUMNS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("missing", ["", "nan", "NA", "null", "--", "N/A"])
def test_coordinates_that_are_missing_stay_so(tmp_path, missing):
    (tmp_path / "c.csv").write_text(f"name,alpha,delta\na,{missing},-69\nb,80.5,-69\n")
    read = read_catalogue(tmp_path / "c.csv", **COLUMNS)
    assert read["alpha"].filled(np.nan).tolist() == pytest.approx([np.nan, 80.5], nan_ok=True)


def test_a_last_line_without_an_end_is_said(tmp_path, caplog):
    (tmp_path / "c.csv").write_text("name,alpha,delta\na,80.5,-69.5\nb,80.5,-69")
    assert len(read_catalogue(tmp_path / "c.csv", **COLUMNS)) == 2
    assert "if the file is cut off, its last source is wrong" in caplog.text


def test_columns_in_use_are_found_in_the_order_of_their_names(tmp_path):
    (tmp_path / "c.csv").write_text("ra,dec,RAJ2000,DEJ2000,id\n1,2,80.5,-69.5,x\n")
    known = {"id_" if key == "id" else key: names for key, names in KNOWN_COLUMNS.items()}
    read = read_catalogue(tmp_path / "c.csv", **known)
    assert read.meta["columns"] == {"id": "id", "ra": "RAJ2000", "dec": "DEJ2000"}


@pytest.mark.parametrize("card", ["NAXIS1", "NAXIS2"])
@pytest.mark.parametrize("value", [-5, 10**15])
def test_a_damaged_header_neither_hangs_nor_fills_the_memory(tmp_path, card, value):
    table_of(["a"]).write(tmp_path / "c.fits")
    data = (tmp_path / "c.fits").read_bytes()
    start = data.rindex(card.encode())
    data = data[:start] + f"{card:8}= {value:20}".encode() + data[start + 30 :]
    (tmp_path / "c.fits").write_bytes(data)
    with pytest.raises(MaskError, match=r"damaged or cut off|cannot be read"):
        read_catalogue(tmp_path / "c.fits", **COLUMNS)
