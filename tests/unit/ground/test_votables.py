"""What a VOTable says of itself, wherever in it that stands."""

import logging

import pytest
from astropy.io import votable
from astropy.table import Table
from mirimask.errors import MaskError
from mirimask.sources.own_catalogues import read_catalogue
from mirimask.votables import notes_of

PLACES = {
    "VOTABLE": "<VOTABLE version='1.4'>{}<RESOURCE>{TABLE}</RESOURCE></VOTABLE>",
    "RESOURCE": "<VOTABLE version='1.4'><RESOURCE>{}{TABLE}</RESOURCE></VOTABLE>",
    "after": "<VOTABLE version='1.4'><RESOURCE>{TABLE}{}</RESOURCE></VOTABLE>",
    "nested": "<VOTABLE version='1.4'><RESOURCE><RESOURCE>{}</RESOURCE>{TABLE}"
    "</RESOURCE></VOTABLE>",
    "TABLE": "<VOTABLE version='1.4'><RESOURCE>{IN}</RESOURCE></VOTABLE>",
}
TABLE = """<TABLE><FIELD name="id" datatype="char" arraysize="*"/><FIELD name="ra" datatype="double"
unit="deg"/><FIELD name="dec" datatype="double" unit="deg"/><DATA><TABLEDATA>
<TR><TD>a</TD><TD>10.5</TD><TD>-3.25</TD></TR></TABLEDATA></DATA>{}</TABLE>"""


@pytest.fixture(params=PLACES)
def write(request, tmp_path):
    """Write a VOTable with an INFO in one of the places."""

    def written(info):
        text = PLACES[request.param].replace("{IN}", TABLE).replace("{TABLE}", TABLE.format(""))
        path = tmp_path / "catalogue.vot"
        path.write_text(text.format(info))
        return path

    return written


@pytest.mark.parametrize(
    ("info", "errors", "warnings", "overflow"),
    [
        ("<INFO name='QUERY_STATUS' value='OK'/>", (), (), False),
        ("<INFO name='QUERY_STATUS' value='OVERFLOW'>first 50</INFO>", (), (), True),
        ("<INFO name='query_status' value='overflow'/>", (), (), True),
        ("<INFO name='QUERY_STATUS' value='ERROR'>no disk</INFO>", ("no disk",), (), False),
        ("<INFO name='QUERY_STATUS' value='ERROR'/>", ("it does not say which",), (), False),
        (
            "<INFO name='Error' value='no disk'/><INFO name='Error' value=' '/>",
            ("no disk",),
            (),
            False,
        ),
        (
            "<INFO name='Warning' value='odd'/><INFO name='warning' value='odd'/>",
            (),
            ("odd",),
            False,
        ),
        ("<INFO name='Target' value='Error'/>", (), (), False),
    ],
)
def test_notes(write, info, errors, warnings, overflow):
    notes = notes_of(votable.parse(write(info)))
    assert (notes.errors, notes.warnings, notes.overflow) == (errors, warnings, overflow)


def test_an_own_catalogue_that_is_not_whole_is_read_with_a_warning(write, caplog):
    with caplog.at_level(logging.WARNING):
        path = write("<INFO name='QUERY_STATUS' value='OVERFLOW'/>")
        table = read_catalogue(path, id_="id", ra="ra", dec="dec", image="A")
    assert isinstance(table, Table)
    assert list(table["ra"]) == [10.5]
    (said,) = caplog.messages
    assert said.startswith(f"A: catalogue '{path}' holds only the first rows")


def test_an_own_catalogue_that_is_an_error_is_refused(write):
    path = write("<INFO name='QUERY_STATUS' value='ERROR'>no disk</INFO>")
    with pytest.raises(
        MaskError, match=r"catalogue\.vot' is the answer to a query that failed: no"
    ):
        read_catalogue(path, id_="id", ra="ra", dec="dec")
