"""The simulated sky, its exposures, the catalogue and the products, on small budgets."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import yaml
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from conftest import ROOT
from mirimask.errors import MaskError
from mirimask.image.galaxy import galaxy_light
from mirimask.image.product import sha256
from mirimask.image.psf import PsfSettings, make_psf, stamp
from mirimask.masks.segmentation import SegmentationSettings
from mirimask.simulation import catalogue as simulated_catalogue
from mirimask.simulation import exposures, sky, validation
from mirimask.simulation import field as simulate
from mirimask.units import ab_to_microjansky
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"


def settings(**field):
    """The defaults of the schema for one field, some keys of it replaced."""
    field = {"seed": 5, "background": {"level": 6.0}, "unwise": {"sources_in_crop": 12}} | field
    config = {"simulation": {"fields": {"Img5": deepcopy(field)}}}
    validate(config, SCHEMA)
    simulation = config["simulation"]
    return simulation["fields"]["Img5"], simulation["detector"]


QUIET = {
    "gain_e_per_dn": 1e9,
    "read_noise_e": 0.0,
    "row_offset_e": 0.0,
    "column_offset_e": 0.0,
    "flat_rms": 0.0,
    "flat_broad_rms": 0.0,
    "bad_pixel_share": 0.0,
    "unflagged_pixels": 0,
    "cosmic_ray_residuals_per_s": 0.0,
}
NOTHING = {"per_arcmin2": 0}


@pytest.fixture(scope="module")
def psf():
    return make_psf("F770W", PsfSettings(size_arcsec=8.0, wavelengths=3))


@pytest.fixture(scope="module")
def observation():
    table = pd.read_csv(ROOT / "config" / "published" / "table1.csv").set_index("code")
    return table.loc["Img5"].to_dict()


def img5(psf, observation, field, detector):
    return simulate.simulate(
        "Img5",
        psf,
        field=field,
        detector=detector,
        observation=observation,
        segmentation=SegmentationSettings.for_jwst("1.12.5"),
        jwst_version="1.12.5",
        box_deg=0.03,
    )


@pytest.fixture(scope="module")
def made(psf, observation):
    field, detector = settings(
        bright_stars=[{"x": 700.0, "y": 500.0, "ab": 18.0}],
        dead_clusters=[{"x": 800, "y": 300, "radius_px": 5}],
    )
    return img5(psf, observation, field, detector)


def write(made, folder, **options):
    names = {
        "i2d": "i2d.fits",
        "segm": "segm.fits",
        "cat": "cat.ecsv",
        "catalogue": "unwise.ecsv",
        "truth": "truth.ecsv",
        "light": "truth.fits",
        "manifest": "manifest.tsv",
    }
    paths = {key: folder / name for key, name in names.items()}
    simulate.write_simulated(made, "Img5", paths, **options)
    return paths


# the sky


def test_counts_rise_as_their_slope_says():
    field, _ = settings(
        stars={"per_arcmin2": 900, "brightest": 18, "faintest": 24, "slope": 0.3},
        galaxies=NOTHING,
    )
    magnitudes = np.asarray(sky.draw_sources(field, 1, 0.11)["ab_mag"])
    assert magnitudes.min() >= 18
    assert magnitudes.max() <= 24
    ratio = (magnitudes < 23).sum() / magnitudes.size
    assert ratio == pytest.approx(10**-0.3, rel=0.1)
    area = 1428 * 1432 * (0.11 / 60) ** 2
    assert magnitudes.size == round(900 * area)


def test_stars_are_colourless_in_the_vega_system():
    field, _ = settings(galaxies=NOTHING)
    stars = sky.draw_sources(field, 1, 0.11)
    colour = np.asarray(stars["w1_vega"]) - (np.asarray(stars["ab_mag"]) - 4.37)
    assert abs(np.median(colour)) < 0.06


def test_diffuse_light_is_level_gradient_and_glow():
    y, x = np.indices(sky.FRAME_SHAPE).astype(float)
    flat = sky.Diffuse({"level": 5.0, "gradient": [0, 0], "glows": []}, None, 1).at(x, y)
    np.testing.assert_allclose(flat, 5.0, rtol=1e-6)
    sloped = sky.Diffuse({"level": 5.0, "gradient": [1.0, -2.0], "glows": []}, None, 1).at(x, y)
    assert sloped[0, -1] - sloped[0, 0] == pytest.approx(1.0, abs=1e-4)
    assert sloped[-1, 0] - sloped[0, 0] == pytest.approx(-2.0, abs=1e-4)
    glow = {"x": 300, "y": 400, "amplitude": 2.0, "radius_px": 50}
    lit = sky.Diffuse({"level": 5.0, "gradient": [0, 0], "glows": [glow]}, None, 1).at(x, y)
    assert np.unravel_index(lit.argmax(), lit.shape) == (400, 300)
    assert lit[400, 350] - 5 == pytest.approx(2 * np.exp(-0.5), rel=1e-3)


def test_nebula_has_its_rms_and_is_skewed():
    nebula = {"amplitude": 2.0, "contrast": 1.0, "slope": 3, "largest_px": 200, "smooth_px": 3}
    y, x = np.mgrid[-200:1228:4, -200:1228:4].astype(float)
    light = sky.Diffuse({"level": 5.0, "gradient": [0, 0], "glows": []}, nebula, 3).at(x, y)
    assert light.std() == pytest.approx(2.0, rel=0.15)
    assert light.mean() > np.median(light)


# the exposures


def test_distortion_is_inverted():
    x, y = np.random.default_rng(1).uniform(0, 1024, (2, 500))
    there = exposures.detector_to_mosaic(x, y, (0.7, -1.3))
    back = exposures.mosaic_to_detector(*there, (0.7, -1.3))
    np.testing.assert_allclose(back, (x, y), atol=1e-3)


def quiet_mosaic(psf, field, detector, sources, **more):
    return exposures.observe(
        sky.Diffuse(field["background"], None, field["seed"]),
        sources,
        psf,
        field=field,
        detector=detector | QUIET | more,
        exposure_s=1000.0,
        pixar_sr=simulate.PIXAR_SR,
        seed=field["seed"],
    )


def test_flux_and_position_of_sources_survive_the_telescope(psf):
    field, detector = settings(
        stars=NOTHING,
        galaxies=NOTHING,
        bright_stars=[{"x": 700.3, "y": 300.6, "ab": 18.0}],
        bright_galaxies=[{"x": 850.0, "y": 700.0, "ab": 18.0, "radius_px": 5}],
    )
    mosaic = quiet_mosaic(psf, field, detector, sky.draw_sources(field, 5, 0.11))
    lit = np.nan_to_num(mosaic.sci - 6.0)
    light = psf.data.sum() / psf.oversample**2
    for x, y, reach in ((700.3, 300.6, 36), (850.0, 700.0, 45)):
        box = np.s_[
            round(y) - reach : round(y) + reach + 1, round(x) - reach : round(x) + reach + 1
        ]
        flux = lit[box].sum() * simulate.PIXAR_SR * 1e12
        assert flux == pytest.approx(ab_to_microjansky(18.0) * light, rel=0.04)
        rows, columns = np.indices(lit[box].shape)
        near = lit[box] * (np.hypot(rows - reach, columns - reach) < 6)
        assert (near * columns).sum() / near.sum() - reach == pytest.approx(x - round(x), abs=0.08)
        assert (near * rows).sum() / near.sum() - reach == pytest.approx(y - round(y), abs=0.08)


def test_noise_is_what_err_says_and_correlated(psf):
    field, detector = settings(stars=NOTHING, galaxies=NOTHING)
    quiet = {key: QUIET[key] for key in QUIET if key not in ("gain_e_per_dn", "read_noise_e")}
    mosaic = exposures.observe(
        sky.Diffuse(field["background"], None, 5),
        sky.draw_sources(field, 5, 0.11),
        psf,
        field=field,
        detector=detector | quiet | {"flat_error": 0.0},
        exposure_s=1000.0,
        pixar_sr=simulate.PIXAR_SR,
        seed=5,
    )
    crop = mosaic.sci[sky.CROP]
    assert crop.std() == pytest.approx(float(np.median(mosaic.err[sky.CROP])), rel=0.05)
    noise = crop - crop.mean()
    lag = (noise[:, 1:] * noise[:, :-1]).mean() / noise.var()
    assert 0.15 < lag < 0.4
    # Poisson noise of the electrons of the sky, averaged by the resampling
    electrons = 6.0 / detector["photmjsr"] * detector["gain_e_per_dn"] * 1000.0
    assert 0.5 < crop.std() / (6.0 / np.sqrt(electrons)) < 1.1


def test_frame_has_its_empty_parts(made):
    empty = made.mosaic.wht == 0
    np.testing.assert_array_equal(empty, np.isnan(made.mosaic.sci))
    np.testing.assert_array_equal(empty, (made.mosaic.con == 0).all(axis=0))
    assert made.mosaic.sci.shape == (1028, 1032)
    for corner in (empty[0, 0], empty[-1, -1], empty[0, -1]):
        assert corner
    assert empty[:, 300:340].all()  # between the coronagraphs and the imager
    assert not empty[800:1000, 40:100].any()  # the Lyot coronagraph
    assert 0 < empty[sky.CROP].sum() < 60  # the dead cluster
    assert empty[295:310, 795:810].any()


def test_weights_count_the_exposures(made):
    bits = sum((made.mosaic.con[0] >> k) & 1 for k in range(4))
    crop = bits[sky.CROP]
    assert crop.max() == 4
    weight = made.mosaic.wht[sky.CROP]
    assert weight[crop == 4].mean() > 1.2 * weight[crop <= 2].mean()


def test_saturated_star_has_a_hole(psf):
    field, detector = settings(
        stars=NOTHING, galaxies=NOTHING, bright_stars=[{"x": 700.0, "y": 300.0, "ab": 9.5}]
    )
    mosaic = quiet_mosaic(psf, field, detector, sky.draw_sources(field, 5, 0.11))
    assert np.isnan(mosaic.sci[300, 700])
    assert np.nanmax(mosaic.sci[sky.CROP]) <= 1.01 * detector["saturation_mjy_sr"]


def test_field_without_any_data_is_refused(psf):
    field, detector = settings(dead_area={"rows": [0, 1024], "columns": [0, 1032]})
    with pytest.raises(MaskError, match="dead_area"):
        quiet_mosaic(psf, field, detector, sky.draw_sources(field, 5, 0.11)[:0])


def test_a_sky_below_0_is_refused_where_it_is_seen(psf):
    shadow = {"x": 700, "y": 500, "amplitude": -6.1, "radius_px": 30}
    background = {"level": 6.0, "glows": [shadow]}
    field, detector = settings(background=background, stars=NOTHING, galaxies=NOTHING)
    with pytest.raises(MaskError, match=r"down to -0\.1 MJy/sr where it is seen; raise the level"):
        quiet_mosaic(psf, field, detector, sky.draw_sources(field, 5, 0.11))
    # between the coronagraphs and the imager nothing sees it
    shadow |= {"x": 330, "y": 600, "radius_px": 3}
    field, detector = settings(background=background, stars=NOTHING, galaxies=NOTHING)
    quiet_mosaic(psf, field, detector, sky.draw_sources(field, 5, 0.11))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (  # the coronagraph's field still has data
            {"dead_area": {"rows": [0, 1024], "columns": [300, 1032]}},
            "simulation.fields.Img5: no pixel of the crop has data; see its dead_area",
        ),
        (  # all saturated but what lies behind the coronagraph's bar and spot
            {"background": {"level": 3000}},
            "simulation.fields.Img5: no pixel of the crop has data; see its",
        ),
        (
            {"background": {"level": 1.0, "gradient": [5, 0]}},
            "simulation.fields.Img5: the sky of the field is down to -",
        ),
    ],
)
def test_what_makes_a_field_impossible_is_named(psf, observation, change, says):
    field, detector = settings(stars=NOTHING, galaxies=NOTHING, exposures=1, **change)
    with pytest.raises(MaskError, match=says):
        img5(psf, observation, field, detector)


def test_beside_the_real_mosaic_is_a_field_without_a_mesh(psf, monkeypatch):
    class Asked(Exception):
        pass

    def observe(*given, field, **more):
        raise Asked(field["mesh"])

    monkeypatch.setattr(validation, "observe", observe)
    field, detector = settings(mesh={"amplitude": 0.03, "period_px": 5})
    real = np.zeros((8, 8))
    with pytest.raises(Asked, match="None"):
        validation.beside_mosaic(real, real > 0, psf, field=field, detector=detector)


# the catalogue


@pytest.fixture(scope="module")
def wcs(observation):
    field, _ = settings()
    return simulate._wcs(field, observation)


def catalogue(truth, wcs, wanted, without=0, *, name="unwise", **more):
    listing = {"sources_in_crop": wanted, "without_counterpart": without} | more
    field, _ = settings(**{name: listing})
    return simulated_catalogue.simulated_catalogue(
        name, truth, wcs, settings=field[name], box_deg=0.03, pixel_scale_arcsec=0.11, seed=4
    )


def points(positions, w1):
    x, y = np.array(positions, float).T
    return QTable({"x": x, "y": y, "w1_vega": w1, "w2_vega": w1, "ab_mag": np.array(w1) + 4.37})


def in_crop(table, wcs):
    x, y = wcs.world_to_pixel_values(table["RAJ2000"].value, table["DEJ2000"].value)
    return simulated_catalogue._in_crop(x, y)


@pytest.mark.parametrize(("wanted", "without"), [(5, 0), (13, 2), (19, 19)])
def test_as_many_sources_in_the_crop_as_wanted(wcs, wanted, without):
    field, _ = settings()
    table, ids = catalogue(sky.draw_sources(field, 5, 0.11), wcs, wanted, without)
    assert in_crop(table, wcs).sum() == wanted
    named = set(ids) - {""}
    assert named <= set(table["objID"])
    assert (~np.isin(table["objID"][in_crop(table, wcs)], list(named))).sum() == without
    assert len(set(table["objID"])) == len(table)


def test_close_pair_is_one_source_between_its_stars(wcs):
    truth = points([(700, 500), (720, 500), (700, 800)], [14.0, 14.0, 15.0])
    table, ids = catalogue(truth, wcs, 2)
    assert len(table) == 2
    assert ids[0] == ids[1] != ids[2]
    row = table[table["objID"] == ids[0]]
    x, y = wcs.world_to_pixel_values(row["RAJ2000"].value, row["DEJ2000"].value)
    assert x[0] == pytest.approx(710, abs=2)
    assert y[0] == pytest.approx(500, abs=2)
    # both fluxes: Vega nanomaggies
    assert row["FW1"][0] == pytest.approx(2 * 10 ** ((22.5 - 14.0) / 2.5), rel=0.05)


def test_artefacts_lie_apart_in_the_crop(wcs):
    field, _ = settings()
    table, ids = catalogue(sky.draw_sources(field, 5, 0.11), wcs, 10, 3)
    loose = ~np.isin(table["objID"], ids) & in_crop(table, wcs)
    x, y = wcs.world_to_pixel_values(table["RAJ2000"].value, table["DEJ2000"].value)
    between = np.hypot(np.subtract.outer(x[loose], x[loose]), np.subtract.outer(y[loose], y[loose]))
    assert loose.sum() == 3
    assert (between[~np.eye(3, dtype=bool)] > 60).all()


def test_size_of_galaxies_is_a_setting():
    field, _ = settings()
    usual = sky.draw_sources(field, 5, 0.11)
    larger = dict(field["galaxies"], radius_arcsec=2 * field["galaxies"]["radius_arcsec"])
    twice = sky.draw_sources({**field, "galaxies": larger}, 5, 0.11)
    free = (usual["kind"] == "galaxy") & (usual["radius_px"] > 0.8) & (twice["radius_px"] < 40)
    assert free.sum() > 10
    assert twice["radius_px"][free] == pytest.approx(2 * usual["radius_px"][free])


def test_too_few_sources_is_said(wcs):
    with pytest.raises(MaskError, match="only 1 sources"):
        catalogue(points([(700, 500)], [14.0]), wcs, 5)


@pytest.mark.parametrize(("wanted", "without"), [(0, 1), (2, 5)])
def test_more_artefacts_than_sources_are_refused(wcs, wanted, without):
    with pytest.raises(MaskError, match=f"sources_in_crop is {wanted}, without_counterpart"):
        catalogue(points([(700, 500)], [14.0]), wcs, wanted, without)


def test_artefacts_that_find_no_room_are_refused(wcs):
    with pytest.raises(MaskError, match=r"without_counterpart is 400, but only \d+ such entries"):
        catalogue(points([(700, 500)], [14.0]), wcs, 400, 400)


@pytest.mark.parametrize("name", ["unwise", "seip"])
def test_artefacts_at_given_positions(wcs, name):
    field, _ = settings()
    truth = sky.draw_sources(field, 5, 0.11)
    table, _ = catalogue(truth, wcs, 10, 2, name=name, on=[[700, 500]])
    columns = {"unwise": ("RAJ2000", "DEJ2000"), "seip": ("m1_ra", "m1_dec")}[name]
    x, y = wcs.world_to_pixel_values(*(table[column].value for column in columns))
    assert np.nanmin(np.hypot(x - 700, y - 500)) < 0.01


@pytest.mark.parametrize(
    ("on", "says"),
    [
        ([[700, 500], [800, 500]], "without_counterpart is 1, but 'on' gives 2 positions"),
        ([[300, 500]], r"on: \[300, 500\] does not lie in the crop"),
        ([[1018, 30]], "does not lie in the crop and in the catalogue's box of 0.03 degrees"),
    ],
)
def test_artefacts_at_positions_that_are_not_listed_are_refused(wcs, on, says):
    with pytest.raises(MaskError, match=says):
        catalogue(points([(700, 500)], [14.0]), wcs, 2, 1, on=on)


# the products


def test_i2d_has_the_form_of_the_archive(made, observation, tmp_path):
    paths = write(made, tmp_path)
    with fits.open(paths["i2d"]) as hdus:
        assert [hdu.name for hdu in hdus] == (
            ["PRIMARY", "SCI", "ERR", "CON", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"]
        )
        primary, science = hdus[0].header, hdus["SCI"].header
        assert primary["PI_NAME"] == observation["principal_investigator"]
        assert primary["OBS_ID"] == observation["observation_id"]
        assert primary["DATE-OBS"] == observation["obs_date"]
        assert primary["EFFEXPTM"] == observation["effective_exposure_s"]
        assert primary["GDSTARID"] == observation["guide_star_id"]
        assert primary["GS_RA"] == observation["guide_star_ra_deg"]
        assert primary["GS_DEC"] == observation["guide_star_dec_deg"]
        assert primary["FILTER"] == "F770W"
        assert primary["FILENAME"] == "jw02114-o001_t001_miri_f770w_i2d.fits"
        assert primary["SIMULATD"] is True
        assert "SIMULATED" in str(primary["HISTORY"])
        assert science["BUNIT"] == "MJy/sr"
        assert science["PIXAR_SR"] == pytest.approx(2.84404e-13, rel=1e-5)
        assert hdus["SCI"].data.dtype == np.dtype(">f4")
        assert hdus["CON"].data.shape == (1, 1028, 1032)
        np.testing.assert_array_equal(hdus["SCI"].data == 0, hdus["WHT"].data == 0)
        wcs = WCS(science)
        ra, dec = wcs.pixel_to_world_values(515.5, 513.5)
        assert abs(dec - observation["guide_star_dec_deg"]) < 0.05
        east = (ra - observation["guide_star_ra_deg"]) * np.cos(np.deg2rad(dec))
        assert abs(east) < 0.05
        np.testing.assert_allclose(wcs.wcs.crval, (ra, dec))
        np.testing.assert_allclose(
            wcs.proj_plane_pixel_scales()[0].to_value("arcsec"), 0.11, rtol=1e-6
        )
        # sky parity: east is left of north
        assert np.linalg.det(wcs.pixel_scale_matrix) < 0


def test_a_name_that_no_fits_card_holds(observation):
    field = {"exposures": 2, "seed": 1}
    names = {"principal_investigator": "Günther", "guide_star_id": "Å1"}
    primary = simulate._primary("A", "F770W", field, {**observation, **names}, "1.14.0")
    assert (primary["PI_NAME"], primary["GDSTARID"]) == ("G_nther", "_1")


def test_segm_and_cat_describe_the_same_sources(made, tmp_path):
    paths = write(made, tmp_path)
    with fits.open(paths["segm"]) as hdus:
        labels = hdus["SCI"].data
        assert labels.dtype == np.uint32
        assert labels.shape == (1028, 1032)
        assert hdus[0].header["SIMULATD"] is True
    table = QTable.read(paths["cat"])
    assert set(table["label"]) == set(np.unique(labels)) - {0}
    assert table.meta["SIMULATD"] is True


def test_truth_names_the_catalogue_rows(made, tmp_path):
    paths = write(made, tmp_path)
    truth, rows = QTable.read(paths["truth"]), QTable.read(paths["catalogue"])
    assert {"id", "kind", "x", "y", "ra", "dec", "flux", "ab_mag", "unwise_id"} <= set(
        truth.colnames
    )
    named = set(np.ma.filled(truth["unwise_id"], "")) - {""}
    assert named
    assert named <= set(rows["objID"])
    np.testing.assert_allclose(
        truth["ab_mag"], 23.9 - 2.5 * np.log10(truth["flux"].to_value("uJy")), atol=1e-6
    )
    assert truth.meta["SIMULATD"] is True
    assert rows.meta["SIMULATD"] is True


def test_manifest_is_true(made, tmp_path):
    paths = write(made, tmp_path)
    rows = pd.read_csv(paths["manifest"], sep="\t", dtype=str, keep_default_na=False)
    assert list(rows["product"]) == ["i2d", "segm", "cat", "unwise"]
    for row in rows.to_dict("records"):
        path = paths["catalogue" if row["product"] == "unwise" else row["product"]]
        assert row["sha256"] == sha256(path)
        assert int(row["bytes"]) == path.stat().st_size
        assert row["uri"] == "simulated:Img5"
        assert row["retrieved"] == ""


def test_empty_pixels_can_be_nan(made, tmp_path):
    paths = write(made, tmp_path, empty=float("nan"))
    science = fits.getdata(paths["i2d"], "SCI")
    np.testing.assert_array_equal(np.isnan(science), made.mosaic.wht == 0)
    with pytest.raises(MaskError, match="0 or nan"):
        write(made, tmp_path, empty=1.0)


def test_same_seed_same_bytes_other_seed_others(made, psf, observation, tmp_path):
    field, detector = settings(
        bright_stars=[{"x": 700.0, "y": 500.0, "ab": 18.0}],
        dead_clusters=[{"x": 800, "y": 300, "radius_px": 5}],
    )

    def again(seed):
        return simulate.simulate(
            "Img5",
            psf,
            field=field | {"seed": seed},
            detector=detector,
            observation=observation,
            segmentation=SegmentationSettings.for_jwst("1.12.5"),
            jwst_version="1.12.5",
            box_deg=0.03,
        )

    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first, second = write(made, tmp_path / "a"), write(again(5), tmp_path / "b")
    for name in first:
        assert first[name].read_bytes() == second[name].read_bytes(), name
    other = again(6)
    assert (other.mosaic.sci != made.mosaic.sci)[sky.CROP].mean() > 0.99


# the configuration


NEBULA = {"amplitude": 1, "contrast": 1, "slope": 3, "largest_px": 200, "smooth_px": 3}


@pytest.mark.parametrize(
    "field",
    [
        {"stars": {"slope": 20}},
        {"stars": {"faintest": 3000}},
        {"galaxies": {"slope": 20}},
        {"unwise": {"w1_5sigma": -1000}},
        {"background": {"level": -0.1}},
        {"nebula": NEBULA | {"contrast": 0}},
        {"nebula": NEBULA | {"contrast": 200}},
        {"nebula": NEBULA | {"slope": 1000}},
        {"bright_stars": [{"x": 700, "y": 500, "ab": -30}]},
        {"bright_galaxies": [{"x": 700, "y": 500, "ab": -30, "radius_px": 5}]},
        {"bright_galaxies": [{"x": 700, "y": 500, "ab": 18, "radius_px": 60}]},
        {"dead_area": {"rows": [0, 1025], "columns": [0, 10]}},
        {"dead_area": {"rows": [0, 10], "columns": [0, 1033]}},
    ],
)
def test_what_no_field_can_be_is_against_the_schema(field):
    with pytest.raises(WorkflowError, match="Error validating config file"):
        settings(**field)


@pytest.mark.parametrize(
    "psf", [{"size_arcsec": 2.9}, {"cruciform": 0.5}, {"cruciform_length_px": 1000}, {"halo": 0.5}]
)
def test_what_no_psf_can_be_is_against_the_schema(psf):
    with pytest.raises(WorkflowError, match="Error validating config file"):
        validate({"simulation": {"psf": psf}}, SCHEMA)


def test_the_smallest_psf_and_the_largest_cruciform_of_the_schema_are_a_psf():
    extreme = {"size_arcsec": 3, "cruciform": 0.008, "cruciform_length_px": 30, "halo": 0.15}
    validate({"simulation": {"psf": dict(extreme)}}, SCHEMA)  # which fills in the defaults
    psf = make_psf("F770W", PsfSettings(wavelengths=1, **extreme))
    assert psf.data.min() >= 0
    assert psf.data.argmax() == psf.data.size // 2
    row = {"radius_px": 0.8, "sersic_n": 1, "axis_ratio": 1, "angle_deg": 0}
    light, _ = galaxy_light(row, psf)  # the inner part of the PSF that a galaxy takes is all there
    assert light.argmax() == light.size // 2


@pytest.mark.parametrize("radius_px", [0.5, 1.33, 5])
@pytest.mark.parametrize("sersic_n", [1, 4])
def test_what_a_galaxy_loses_at_the_end_of_its_stamp(radius_px, sersic_n):
    """docs/simulation.md: 2 to 4 % of small ones; of larger ones, here of 5 px, less than 1.5 %."""
    psf = make_psf("F770W", PsfSettings(wavelengths=1))
    row = {"radius_px": radius_px, "sersic_n": sersic_n, "axis_ratio": 0.7, "angle_deg": 30}
    coefficients, half = galaxy_light(row, psf)
    light = stamp(coefficients, psf.oversample, 0, 0, half).sum()
    lost = 1 - light * psf.oversample**2 / psf.data.sum()
    assert (0 <= lost < 0.015) if radius_px == 5 else (0.01 < lost < 0.05)


@pytest.mark.parametrize("name", ["simulated.yaml", "stress.yaml", "f2550w.yaml"])
def test_configurations_are_valid_and_complete(name):
    config = yaml.safe_load((ROOT / "config" / name).read_text())
    validate(config, SCHEMA)
    images = pd.read_csv(ROOT / config["images"], sep="\t", comment="#")["image"]
    fields = config["simulation"]["fields"]
    assert set(images) == set(fields)
    # a field without a row in the table of observations has its own
    table = pd.read_csv(ROOT / config["simulation"]["observations"])["code"]
    assert all("observation" in field or image in set(table) for image, field in fields.items())
