"""Catalogues by name, the circle of each, and what a simulated sky gives to each."""

import numpy as np
import pytest
from astropy.table import QTable, Table
from astropy.wcs import WCS
from conftest import ROOT
from mirimask.errors import MaskError
from mirimask.image.frame import pixels
from mirimask.image.instrument import FILTERS
from mirimask.simulation import sky
from mirimask.simulation.catalogue import SURVEYS, simulated_catalogue
from mirimask.sources.catalogue import (
    CATALOGUES,
    catalogue_settings,
    circle_sizes,
    locate_sources,
    note_of_overlap,
)
from mirimask.sources.verdicts import not_observed
from snakemake.utils import validate

NONE = dict.fromkeys(("vizier", "irsa", "id", "ra", "dec", "keep", "resolution"))


def given(**settings):
    return NONE | {"box_deg": 0.03} | settings


# names and circles


def test_unwise_has_the_paper_s_table_columns_and_circle():
    settings = catalogue_settings(given(name="unwise"))
    assert (settings["service"], settings["table"]) == ("vizier", "II/363/unwise")
    assert [settings[key] for key in ("id", "ra", "dec")] == ["objID", "RAJ2000", "DEJ2000"]
    assert settings["keep"] == ""
    circle = circle_sizes(settings["resolution"])
    assert pixels(circle["radius"], 0.11) == pytest.approx(18)
    assert pixels(circle["near"], 0.11) == pytest.approx(25)
    native = circle_sizes(settings["resolution"], native=True)
    assert native == {"radius": "18 px", "near": "25 px"}
    # a finer pixel: the same circle on the sky
    assert pixels(circle["radius"], 0.04) == pytest.approx(49.5)


@pytest.mark.parametrize("name", CATALOGUES)
def test_circles_are_the_same_share_of_every_resolution(name):
    resolution = catalogue_settings(given(name=name))["resolution"]
    circle = circle_sizes(resolution)
    assert float(circle["radius"].split()[0]) / resolution == pytest.approx(1.98 / 6.1, rel=1e-3)
    assert circle["radius"].endswith(" arcsec")


def test_every_key_can_be_given_beside_a_name():
    own = {"id": "a", "ra": "b", "dec": "c", "keep": "", "resolution": 2.0, "vizier": "J/X/1"}
    settings = catalogue_settings(given(name="seip", **own))
    assert {key: settings[key] for key in own} == own
    assert (settings["service"], settings["table"]) == ("vizier", "J/X/1")
    assert catalogue_settings(given(name="seip"))["keep"] == "m1_fluxtype == 1"


def test_a_name_that_is_not_known_needs_a_table_where_an_archive_is_asked():
    with pytest.raises(MaskError, match=r"'mipsgl' is not a known catalogue \(unwise, catwise"):
        catalogue_settings(given(name="mipsgl"))
    local = catalogue_settings(given(name="mine"), ask=False)
    assert (local["service"], local["table"], local["resolution"]) == (None, "", None)
    assert (local["id"], local["ra"], local["dec"]) == ("objID", "RAJ2000", "DEJ2000")
    # positions of unknown sharpness: the image's own
    assert circle_sizes(local["resolution"]) == {"radius": "1 fwhm", "near": "1.4 fwhm"}
    with pytest.raises(MaskError, match="both vizier and irsa"):
        catalogue_settings(given(name="mine", vizier="a", irsa="b"))


# catalogues of a simulated sky


@pytest.fixture(scope="module")
def wcs():
    made = WCS(naxis=2)
    made.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    made.wcs.crval, made.wcs.crpix = [281.5, -2.6], [516.5, 514.5]
    made.wcs.cdelt = [-0.11 / 3600, 0.11 / 3600]
    return made


def field_of(**field):
    """A field of the configuration with the schema's defaults."""
    field = {"seed": 3, "background": {"level": 250}} | field
    config = {"simulation": {"fields": {"F": field}}}
    validate(config, str(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
    return config["simulation"]["fields"]["F"]


def seen(name, truth, wcs, **settings):
    field = field_of(**{name: settings})
    return simulated_catalogue(
        name, truth, wcs, settings=field[name], box_deg=0.03, pixel_scale_arcsec=0.11, seed=3
    )


def points(*rows):
    """Sources of x, y, W1 (Vega) and flux at 24 um (mJy)."""
    x, y, w1, s24 = np.array(rows, float).T
    made = {"x": x, "y": y, "w1_vega": w1, "w2_vega": w1, "s24_ujy": s24 * 1000, "ab_mag": w1 + 6}
    return QTable(made)


@pytest.fixture(scope="module")
def truth():
    field = field_of(
        stars={"per_arcmin2": 300, "brightest": 13, "faintest": 21.7, "slope": 0.25},
        galaxies={"per_arcmin2": 10, "brightest": 16, "faintest": 22, "slope": 0.25},
        bright_stars=[{"x": 700, "y": 500, "ab": 13.5}],
    )
    return sky.draw_sources(field, 3, 0.11, filter_name="F2550W")


def test_every_catalogue_by_name_can_be_simulated():
    assert list(SURVEYS) == list(CATALOGUES)
    with pytest.raises(MaskError, match="no catalogue 'glimpse' can be simulated, only unwise"):
        simulated_catalogue(
            "glimpse", QTable(), None, settings={}, box_deg=1, pixel_scale_arcsec=1, seed=1
        )


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_simulated_catalogue_has_the_columns_and_the_sources(name, truth, wcs):
    table, ids = seen(name, truth, wcs)
    known = CATALOGUES[name]
    assert {known.id, known.ra, known.dec, known.flux} <= set(table.colnames)
    assert len(set(table[known.id])) == len(table) > 0
    assert set(ids) - {""} <= set(np.asarray(table[known.id]).astype(str))
    # the bright star is in each, where it is but for the survey's error
    x, y = wcs.world_to_pixel_values(table[known.ra].value, table[known.dec].value)
    distance = np.hypot(x - 700, y - 500) * 0.11
    assert distance.min() < known.resolution_arcsec / 4
    found = locate_sources(
        Table(table),
        wcs,
        (1028, 1032),
        id_column=known.id,
        ra_column=known.ra,
        dec_column=known.dec,
        keep=known.keep,
    )
    assert 0 < len(found) <= len(table)
    columns = {"id_column": known.id, "ra_column": known.ra, "dec_column": known.dec}
    quantities = locate_sources(QTable(table), wcs, (1028, 1032), **columns, keep=known.keep)
    assert list(quantities["x"]) == list(found["x"])


@pytest.mark.parametrize(("dec", "warned"), [([], False), ([-80.0], True)])
def test_sources_that_all_lie_elsewhere_are_warned_of_and_no_catalogue_is_not(
    dec, warned, wcs, caplog
):
    """Who gives no catalogue has an empty one in the archive's form, and nothing to worry about."""
    table = Table({"id": ["1"] * len(dec), "ra": [10.0] * len(dec), "dec": np.array(dec, float)})
    columns = {"id_column": "id", "ra_column": "ra", "dec_column": "dec", "keep": ""}
    assert len(locate_sources(table, wcs, (1028, 1032), **columns)) == 0
    assert ("nothing to score" in caplog.text) == warned


def test_two_stars_are_one_source_to_mips_and_two_to_irac(wcs):
    pair = points((700, 500, 10, 20), (727, 500, 10, 20), (600, 800, 10, 20))  # 3" apart
    assert len(seen("mipsgal", pair, wcs)[0]) == 2
    table, ids = seen("seip", pair, wcs)
    assert len(table) == 3
    assert (table["m1_fluxtype"] == 1).sum() == 2
    assert ids[0] == ids[1]  # their light at 24 um is one entry
    merged = table[table["objid"] == ids[0]]
    assert merged["m1_f_psf"][0].value == pytest.approx(40000, rel=0.2)


def test_seip_has_the_position_of_the_shortest_wavelength(wcs):
    # one star, and a source that 3.6 um does not see
    lone = points((700, 500, 12, 30), (600, 800, 25, 30))
    table, ids = seen("seip", lone, wcs)
    assert len(table) == 2
    rows = {key: table[table["objid"] == key][0] for key in ids}
    assert rows[ids[0]]["i1_fluxtype"] == 1
    assert rows[ids[1]]["i1_fluxtype"] == 3
    assert np.isnan(rows[ids[1]]["i1_f_ap1"].value)
    off = abs(rows[ids[0]]["m1_dec"] - rows[ids[0]]["dec"]).to_value("arcsec")
    assert 0 < off < 3
    assert rows[ids[1]]["m1_dec"] == rows[ids[1]]["dec"]


def test_a_catalogue_ends_at_its_depth_and_one_that_is_elsewhere_is_empty(truth, wcs):
    table, _ = seen("mipsgal", truth, wcs)
    deeper, _ = seen("mipsgal", truth, wcs, s24_sigma_ujy=100)
    assert table["S24"].value.min() > 2
    assert len(deeper) > 2 * len(table)
    none, ids = seen("mipsgal", truth, wcs, sources_in_crop=0)
    assert len(none) == 0
    assert none.colnames == table.colnames
    assert set(ids) == {""}


# the sky at other wavelengths


def test_photospheres_have_no_colour_in_any_filter():
    field = field_of(galaxies={"per_arcmin2": 0}, stars={"per_arcmin2": 40})
    stars = {band: sky.draw_sources(field, 1, 0.11, filter_name=band) for band in FILTERS}
    for band, table in stars.items():
        ratio = (FILTERS[band].centre_um / 7.634) ** 2
        vega = np.asarray(table["ab_mag"]) - 4.37 - 2.5 * np.log10(ratio)
        assert abs(np.median(np.asarray(table["w1_vega"]) - vega)) < 0.06
    at_24um = np.asarray(stars["F2550W"]["s24_ujy"]) / np.asarray(stars["F2550W"]["flux_ujy"])
    np.testing.assert_allclose(at_24um, (25.017 / 23.68) ** 2, rtol=1e-3)


def test_galaxies_of_one_brightness_are_fainter_in_w1_at_longer_wavelengths():
    field = field_of(stars={"per_arcmin2": 0}, galaxies={"per_arcmin2": 60})
    short, long = (
        sky.draw_sources(field, 1, 0.11, filter_name=band) for band in ("F770W", "F2550W")
    )
    np.testing.assert_array_equal(short["ab_mag"], long["ab_mag"])
    redder = np.median(np.asarray(long["w1_vega"]) - np.asarray(short["w1_vega"]))
    assert redder == pytest.approx(2.5 * 1.5 * np.log10(25.017 / 7.634), abs=0.15)


def test_rows_of_overlapping_images_are_said():
    table = Table({"objID": ["a", "b", "c"], "Prim": [1, 0, 1]})
    assert note_of_overlap(table, "unwise").startswith("1 of 3 rows are not primary: where unwise")
    assert not note_of_overlap(table[[0, 2]], "unwise")
    assert not note_of_overlap(table, "seip")
    assert not note_of_overlap(table[["objID"]], "unwise")


def test_a_position_that_rounds_to_beyond_the_rim_is_beyond(wcs):
    """Pixel 1031 ends at 1031.5; 1031.49997 is written with four digits as that."""
    ra, dec = wcs.all_pix2world([1031.49997, 1031.4999, 3], [500, 500, -0.49997], 0)
    table = Table({"ra": ra, "dec": dec})
    columns = {"ra_column": "ra", "dec_column": "dec", "id_column": "id", "keep": ""}
    found = locate_sources(table, wcs, (1028, 1032), **columns)
    assert found["x"].tolist() == [1031.4999, 3]
    assert found["y"].tolist() == [500, -0.5]
    assert not not_observed(
        np.asarray(found["x"]), np.asarray(found["y"]), np.zeros((1028, 1032), bool), radius_px=18
    ).any()
