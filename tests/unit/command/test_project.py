"""Masks on the pixels of other images: of another filter, and of each dithered exposure."""

import json
import os
import warnings

import exposures
import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from mirimask.command import run as command
from mirimask.errors import MaskError
from mirimask.export.projection import project_mask, sky_of
from mirimask.image.wcs import pixel_to_sky, sky_to_pixel
from mirimask.simulation.exposures import DETECTOR_SHAPE, detector_to_mosaic
from mirimask.simulation.sky import FRAME_SHAPE
from scipy import ndimage


def plain(shape, scale=0.11, angle=0.0, at=(80.0, -20.0)):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = at, [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-scale / 3600, scale / 3600])
    return wcs


def squares(shape=(60, 60)):
    mask = np.zeros(shape, bool)
    mask[10:14, 20:28] = mask[30, 30] = mask[55:, 50:] = True
    return mask


@pytest.mark.parametrize("cover", [0.5, 1.0, 0.0, "nearest"])
def test_onto_itself_nothing_changes(cover):
    mask, wcs = squares(), plain((60, 60), angle=30)
    np.testing.assert_array_equal(
        project_mask(mask, wcs, sky_of(wcs), mask.shape, cover=cover), mask
    )


def test_the_share_of_larger_pixels():
    """Of pixels of twice the side, one covers four: by hand."""
    mask = np.zeros((8, 8), bool)
    mask[0:2, 0:2] = True  # whole
    mask[2, 2:4] = True  # half
    mask[5, 5] = True  # a quarter
    coarse = plain((4, 4), scale=0.22)
    sky = sky_of(coarse)
    expected = {1.0: [(0, 0)], 0.5: [(0, 0), (1, 1)], 0.25: [(0, 0), (1, 1), (2, 2)]}
    for cover, marked in {**expected, 0.0: expected[0.25], 0.3: expected[0.5]}.items():
        made = project_mask(mask, plain((8, 8)), sky, (4, 4), cover=cover)
        assert list(zip(*np.nonzero(made), strict=True)) == marked, cover


def test_where_the_image_does_not_reach_nothing_is_marked():
    mask = np.ones((20, 20), bool)
    made = project_mask(mask, plain((20, 20)), sky_of(plain((40, 40))), (40, 40))
    assert made.sum() == 400
    assert made[10:30, 10:30].all()
    away = plain((40, 40), at=(260.0, 20.0))  # the other side of the sky
    assert not project_mask(mask, plain((20, 20)), sky_of(away), (40, 40)).any()


@pytest.mark.parametrize("cover", [-0.1, 1.1, "middle"])
def test_a_share_that_is_none(cover):
    with pytest.raises(MaskError, match="share from 0 to 1"):
        project_mask(squares(), plain((60, 60)), sky_of(plain((60, 60))), (60, 60), cover=cover)


### exposures ######################################################################################


@pytest.fixture(scope="module")
def observation(tmp_path_factory):
    """The mosaic's mask and three exposures, with the stars' places on each detector."""
    folder = tmp_path_factory.mktemp("observation")
    x, y = exposures.stars()
    mask = exposures.light(x, y, FRAME_SHAPE) > 1
    header = exposures.mosaic_wcs().to_header()
    plane = fits.ImageHDU(mask.astype(np.uint8), header, name="MASK")
    fits.HDUList([fits.PrimaryHDU(), plane]).writeto(folder / "mask.fits")
    places = {}
    for number, offset in enumerate(exposures.OFFSETS):
        path = folder / f"jw0138601400{number}_mirimage_cal.fits"
        places[path.name] = exposures.write_exposure(path, offset, x, y)
    return folder, places


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def ran(*arguments):
        status = command.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return ran


def test_the_wcs_of_the_exposures_is_the_simulations_mapping():
    """The files that the next tests go by: to a hundredth of a pixel, as the pipeline's SIP is."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 1031, 500), rng.uniform(0, 1023, 500)
    for offset in exposures.OFFSETS:
        sky = pixel_to_sky(exposures.exposure_wcs(offset), x, y)
        found = sky_to_pixel(exposures.mosaic_wcs(), sky.ra.deg, sky.dec.deg)
        np.testing.assert_allclose(found, detector_to_mosaic(x, y, offset), atol=1e-2)


def own_offsets(folder):
    """From each star to the middle of its spot in the mosaic's mask, in x and in y."""
    labels, _ = ndimage.label(fits.getdata(folder / "mask.fits", "MASK"), np.ones((3, 3)))
    x, y = exposures.stars()
    spots = labels[y.round().astype(int), x.round().astype(int)]
    middles = np.array(ndimage.center_of_mass(labels > 0, labels, spots))
    return np.array([middles[:, 1] - x, middles[:, 0] - y])


def test_a_mask_covers_the_sources_on_every_exposure(observation, run):
    """Each spot of the mask lies on its star to half a pixel, and marks the star's light."""
    folder, places = observation
    images = [folder / name for name in places]
    status, out, err = run("project", folder / "mask.fits", "--onto", *images, "-o", "masks")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(places)
    assert out.count("FITS, SIP") == 3
    own = own_offsets(folder)
    for name, (x, y) in places.items():
        made = fits.getdata(f"masks/{name.replace('.fits', '_mask.fits')}", "MASK") > 0
        assert made.shape == DETECTOR_SHAPE
        labels, count = ndimage.label(made, np.ones((3, 3)))
        inside = (x > 4) & (x < 1027) & (y > 4) & (y < 1019)
        assert inside.sum() > 50
        assert count == len(np.unique(labels[labels > 0])) <= len(x)
        off = []
        for xs, ys, own_x, own_y in zip(x[inside], y[inside], *own[:, inside], strict=True):
            spot = labels == labels[round(ys), round(xs)]
            assert labels[round(ys), round(xs)] > 0
            if (np.hypot(x - xs, y - ys) < 15).sum() == 1:  # alone
                ym, xm = ndimage.center_of_mass(spot)
                off.append((xm - xs, ym - ys))
                # of where the star is in its spot of the mosaic's mask, whole pixels as it is
                assert np.hypot(xm - xs - own_x, ym - ys - own_y) < 0.5
        assert len(off) > 40
        assert np.abs(np.mean(off, axis=0)).max() < 0.1
        sums = exposures.light(x, y, DETECTOR_SHAPE)
        # what the mask holds on the mosaic it holds here
        assert sums[made].sum() > 0.93 * sums.sum()


def test_a_bit_of_dq(observation, run):
    folder, places = observation
    name = next(iter(places))
    mask = folder / "mask.fits"
    assert run("project", mask, "--onto", folder / name, "-o", "m.fits")[0] == 0
    made = fits.getdata("m.fits", "MASK") > 0
    os.mkdir("flagged")
    status, _, err = run("project", mask, "--onto", folder / name, "-o", "flagged", "--dq")
    assert status == 0, err
    with fits.open(folder / name) as before, fits.open(f"flagged/{name}") as after:
        assert [hdu.name for hdu in after] == [hdu.name for hdu in before]
        for plane in ("SCI", "ERR"):
            np.testing.assert_array_equal(after[plane].data, before[plane].data)
        flags = after["DQ"].data
        assert flags.dtype == np.uint32
        np.testing.assert_array_equal(flags & (1 << 29) > 0, made)
        np.testing.assert_array_equal(flags & ~np.uint32(1 << 29), before["DQ"].data)
        assert after["SCI"].header["A_ORDER"] == before["SCI"].header["A_ORDER"]
    assert run("project", mask, "--onto", folder / name, "-o", "n.fits", "--dq", "31")[0] == 0
    flags = fits.getdata("n.fits", "DQ")
    np.testing.assert_array_equal(flags >> np.uint32(31) > 0, made)


def test_the_checksums_of_a_copy_are_its_own(run):
    """A copy has new ones where the exposure had some, of all and of the data alone."""
    mask = fits.ImageHDU(squares().astype(np.uint8), plain((60, 60)).to_header(), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), mask]).writeto("mask.fits")
    science = fits.ImageHDU(np.ones((60, 60), "f4"), mask.header, name="SCI")
    exposure = fits.HDUList([fits.PrimaryHDU(), science, fits.ImageHDU(name="DQ")])
    exposure["DQ"].data = np.ones((60, 60), "u4")
    exposure[0].header["FILENAME"] = "cal.fits"
    exposure[0].add_checksum()
    exposure["DQ"].add_datasum()
    exposure.writeto("cal.fits")
    assert run("project", "mask.fits", "--onto", "cal.fits", "-o", "out.fits", "--dq")[0] == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a sum that does not hold
        with fits.open("out.fits", checksum=True) as made:
            assert (made["DQ"].data == np.where(squares(), 1 + (1 << 29), 1)).all()
            there = [[key in hdu.header for key in ("CHECKSUM", "DATASUM")] for hdu in made]
    assert there == [[True, True], [False, False], [False, True]]


def test_a_copy_has_the_values_of_an_exposure_that_is_compressed(run):
    """Tiles of real numbers are rounded as they are written: once more was once too often."""
    header = plain((60, 60)).to_header()
    fits.PrimaryHDU(squares().astype(np.uint8), header).writeto("mask.fits")
    light = np.random.default_rng(2).normal(5, 0.1, (60, 60)).astype(np.float32)
    light[3, 4] = np.nan
    science = fits.CompImageHDU(light, header, name="SCI", quantize_level=4)
    flags = fits.CompImageHDU(np.ones((60, 60), np.uint32), name="DQ")
    fits.HDUList([fits.PrimaryHDU(), science, flags]).writeto("cal.fits")
    assert run("project", "mask.fits", "--onto", "cal.fits", "-o", "out.fits", "--dq")[0] == 0
    with fits.open("cal.fits") as before, fits.open("out.fits") as after:
        assert [hdu.name for hdu in after] == ["PRIMARY", "SCI", "DQ"]
        np.testing.assert_array_equal(after["SCI"].data, before["SCI"].data)
        assert after["SCI"].header["CRPIX1"] == before["SCI"].header["CRPIX1"]
        made = np.where(squares(), 1 + (1 << 29), 1)
        np.testing.assert_array_equal(after["DQ"].data, made)
        assert after["DQ"].data.dtype == np.uint32


@pytest.mark.parametrize("scale", [None, 0.01])
@pytest.mark.parametrize("checksum", [False, True])
def test_a_copy_of_whole_numbers_with_gaps_can_be_read(run, scale, checksum):
    """astropy reads them as real numbers, and writes these below a header of whole ones."""
    header = plain((60, 60)).to_header()
    fits.PrimaryHDU(squares().astype(np.uint8), header).writeto("mask.fits")
    counts = np.arange(3600, dtype="i2").reshape(60, 60)
    counts[0, :5] = -32768
    science = fits.ImageHDU(counts, header, name="SCI")
    science.header["BLANK"] = -32768
    flags = fits.ImageHDU(np.zeros((60, 60), "u4"), name="DQ")
    fits.HDUList([fits.PrimaryHDU(), science, flags]).writeto("cal.fits", checksum=checksum)
    if scale:
        with fits.open("cal.fits", mode="update", do_not_scale_image_data=True) as hdus:
            hdus["SCI"].header.update(BSCALE=scale, BZERO=0.0)
    asked = ("project", "mask.fits", "--onto", "cal.fits", "-o", "out.fits", "--dq")
    assert run(*asked) == (0, "", "83 pixels, 2.31 % of all its pixels (FITS)\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open("cal.fits") as before, fits.open("out.fits", checksum=checksum) as after:
            values = np.where(counts < 0, np.nan, counts * (scale or 1.0))
            np.testing.assert_allclose(after["SCI"].data, values, rtol=1e-6)
            np.testing.assert_array_equal(after["SCI"].data, before["SCI"].data)
            np.testing.assert_array_equal(after["DQ"].data > 0, squares())


def test_a_mask_of_an_image_with_a_third_axis_has_two(run):
    header = plain((60, 60)).to_header()
    fits.PrimaryHDU(squares().astype(np.uint8), header).writeto("mask.fits")
    third = header.copy()
    third.update(WCSAXES=3, CTYPE3="WAVE", CRVAL3=7.7e-6, CDELT3=1e-6, CRPIX3=1.0, CUNIT3="m")
    fits.PrimaryHDU(np.ones((1, 60, 60), "f4"), third).writeto("cube.fits")
    assert run("project", "mask.fits", "--onto", "cube.fits", "-o", "m.fits")[0] == 0
    with fits.open("m.fits") as made:
        assert WCS(made["MASK"].header).naxis == 2
        at = WCS(made["MASK"].header).all_pix2world([[3, 4]], 0)
        np.testing.assert_array_equal(made["MASK"].data > 0, squares())
    np.testing.assert_allclose(at, plain((60, 60)).all_pix2world([[3, 4]], 0), rtol=1e-12)


def test_a_projected_mask_says_where_it_comes_from(tmp_path, run):
    header = plain((60, 60)).to_header()
    primary = fits.PrimaryHDU(header=fits.Header({"SIMULATD": True, "METHOD": "value_1", "X": 1}))
    mask = fits.ImageHDU(squares().astype("u1"), header, name="MASK")
    fits.HDUList([primary, mask]).writeto(tmp_path / "m.fits")
    fits.PrimaryHDU(np.zeros((60, 60)), header).writeto(tmp_path / "other.fits")
    arguments = (tmp_path / "m.fits", "--onto", tmp_path / "other.fits", "-o", tmp_path / "p.fits")
    assert run("project", *arguments)[0] == 0
    made = fits.getheader(tmp_path / "p.fits")
    assert (made["SIMULATD"], made["METHOD"], made["MASKFILE"]) == (True, "value_1", "m.fits")
    assert "X" not in made


@pytest.mark.parametrize(("dq", "cards"), [((), ["IMAGE", "MASKFILE"]), (("--dq",), ["FILENAME"])])
def test_names_that_no_fits_card_holds(run, dq, cards):
    header = plain((60, 60)).to_header()
    for name in ("mäsk", "expä_cal"):
        flags = fits.ImageHDU(np.zeros((60, 60), np.uint32), name="DQ")
        plane = fits.ImageHDU(squares().astype(np.uint8), header, name="SCI")
        fits.HDUList([fits.PrimaryHDU(), plane, flags]).writeto(f"{name}.fits")
    arguments = ("mäsk.fits", "--onto", "expä_cal.fits", "-o", "expß_cal.fits", *dq)
    status, _, err = run("project", *arguments)
    assert status == 0, err
    primary = fits.getheader("expß_cal.fits")
    found = {"IMAGE": "exp__cal.fits", "MASKFILE": "m_sk.fits", "FILENAME": "exp__cal.fits"}
    assert {card: primary[card] for card in cards} == {card: found[card] for card in cards}


@pytest.mark.parametrize(
    ("kind", "bit", "has"),
    [("i4", 30, 31), ("i4", 31, 31), ("u1", 7, 8), ("u1", 15, 8), ("i2", 15, 15), ("f4", 3, 0)],
)
def test_a_bit_that_dq_does_not_have(run, tmp_path, kind, bit, has):
    """One message, and no copy whose flags would be missing."""
    header, mask = plain((60, 60)).to_header(), squares()
    fits.HDUList(
        [fits.PrimaryHDU(), fits.ImageHDU(mask.astype(np.uint8), header, name="SCI")]
    ).writeto("mask.fits")
    science = fits.ImageHDU(np.ones((60, 60), "f4"), header, name="SCI")
    flags = fits.ImageHDU(np.ones((60, 60), kind), name="DQ")
    fits.HDUList([fits.PrimaryHDU(), science, flags]).writeto("cal.fits")
    arguments = ("mask.fits", "--onto", "cal.fits", "-o", "out.fits", "--dq", bit)
    status, _, err = run("project", *arguments)
    if bit < has:
        assert status == 0
        made = fits.getdata("out.fits", "DQ")
        np.testing.assert_array_equal(made, np.where(mask, 1 + (1 << bit), 1))
        return
    assert status == 1
    assert err.count("\n") == 1
    assert f"bits 0 to {has - 1}," in err if has else "no bits" in err
    assert "fault" not in err
    assert not (tmp_path / "out.fits").exists()


def test_a_failure_is_a_row(observation, run, tmp_path):
    folder, places = observation
    (tmp_path / "bad_cal.fits").write_text("no")
    good = folder / next(iter(places))
    answer = run("project", folder / "mask.fits", "--onto", good, "bad_cal.fits", "-o", "out")
    status, out = answer[:2]
    assert status == 1
    assert "bad_cal.fits: failed" in out
    assert len(os.listdir("out")) == 1
    rows = json.loads(
        run("project", folder / "mask.fits", "--onto", good, "-o", "one.fits", "--json")[1]
    )
    assert rows["wcs"] == "FITS, SIP"
    assert rows["n_masked"] == fits.getdata("one.fits", "MASK").sum()


def test_a_fault_of_the_program_is_a_row_too(run, monkeypatch):
    """The second of three: it is named, the others are made, and the table is printed."""
    plane = fits.ImageHDU(squares().astype(np.uint8), plain((60, 60)).to_header(), name="SCI")
    images = ["A_cal.fits", "B_cal.fits", "C_cal.fits"]
    for name in ("mask.fits", *images):
        fits.HDUList([fits.PrimaryHDU(), plane]).writeto(name)

    def broken(path):
        if path == "B_cal.fits":
            raise RuntimeError("no way")

    monkeypatch.setattr("mirimask.pipeline.gwcs.pipeline_sky", broken)
    status, out, err = run("project", "mask.fits", "--onto", *images, "-o", "out")
    assert status == 1
    assert sorted(os.listdir("out")) == ["A_cal_mask.fits", "C_cal_mask.fits"]
    assert [line.split()[:2] for line in out.splitlines()[1:4]] == [
        [image, "failed" if image == "B_cal.fits" else "2.31"] for image in images
    ]
    assert err.count("\n") == 1
    assert "'B_cal.fits' cannot be worked on (RuntimeError: no way)" in err


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["nowhere.fits", "--onto", "cal.fits", "-o", "m.fits"], 1, "there is no such file"),
        (["mask.fits", "--onto", "cal.fits", "-o", "m.png"], 1, "name it m.fits"),
        (["mask.fits", "--onto", "cal.fits", "-o", "cal.fits", "--overwrite"], 1, "an input"),
        (["mask.fits", "--onto", "mask.fits", "-o", "m.fits", "--dq"], 1, "has no DQ"),
        (["empty.fits", "--onto", "cal.fits", "-o", "m.fits"], 1, "marks no pixel"),
        (["mask.fits", "--onto", "cal.fits", "-o", "m.fits", "--cover", "2"], 2, "0 to 1"),
        (["mask.fits", "--onto", "cal.fits", "-o", "m.fits", "--dq", "32"], 2, "0 to 31"),
        (["mask.fits", "-o", "m.fits"], 2, "--onto"),
        (["blind.fits", "--onto", "cal.fits", "-o", "m.fits"], 1, "no celestial WCS"),
        (["mask.fits", "--onto", "blind.fits", "-o", "m.fits"], 1, "pip install 'mirimask[jwst]'"),
    ],
)
def test_what_cannot_be(run, tmp_path, monkeypatch, arguments, status, says):
    monkeypatch.setattr("mirimask.pipeline.gwcs.pipeline_sky", lambda path: None)
    header = plain((60, 60)).to_header()
    for name, data, cards in (
        ("mask", squares(), header),
        ("empty", squares() & False, header),
        ("cal", squares(), header),
        ("blind", squares(), None),
    ):
        fits.HDUList(
            [fits.PrimaryHDU(), fits.ImageHDU(data.astype(np.uint8), cards, name="SCI")]
        ).writeto(tmp_path / f"{name}.fits")
    answer = run("project", *arguments)
    assert answer[0] == status
    assert answer[2].count("\n") == 1
    assert says in answer[2]
    assert not (tmp_path / "m.fits").exists()


@pytest.mark.parametrize("values", [(0.5, 7.25), (-1, 1)])
def test_an_image_in_place_of_the_mask_is_refused(run, tmp_path, values):
    """Every pixel of an image is above 0, and all was masked."""
    header = plain((60, 60)).to_header()
    for name, (low, high) in (("image", values), ("mask", (np.nan, 1.0))):
        data = np.where(squares(), high, low).astype(np.float32)
        plane = fits.ImageHDU(data, header, name="SCI")
        fits.HDUList([fits.PrimaryHDU(), plane]).writeto(f"{name}.fits")
    status, _, err = run("project", "image.fits", "--onto", "mask.fits", "-o", "m.fits")
    assert status == 1
    assert err.count("\n") == 1
    assert "mask 'image.fits': its pixels are not those of a mask or of labels" in err
    assert not (tmp_path / "m.fits").exists()
    assert run("project", "mask.fits", "--onto", "image.fits", "-o", "m.fits")[0] == 0
    np.testing.assert_array_equal(fits.getdata("m.fits", "MASK"), squares())


def test_onto_every_image_that_can_be_masked(run):
    """Compressed in tiles, and with an axis of one pixel: as the plain image."""
    header = plain((60, 60)).to_header()
    ones = np.ones((60, 60), np.float32)
    fits.PrimaryHDU(squares().astype(np.uint8), header).writeto("mask.fits")
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(ones, header)]).writeto("tiles.fits")
    header["WCSAXES"], header["CTYPE3"], header["CRPIX3"], header["CRVAL3"] = 3, "FREQ", 1.0, 4e13
    fits.PrimaryHDU(ones[None], header).writeto("cube.fits")
    for name in ("tiles", "cube"):
        status, _, err = run("project", "mask.fits", "--onto", f"{name}.fits", "-o", "m.fits")
        assert status == 0, err
        np.testing.assert_array_equal(fits.getdata("m.fits", "MASK"), squares())
        # the mask on it is one that can be projected
        arguments = ("--onto", "mask.fits", "-o", "n.fits", "--overwrite")
        assert run("project", "m.fits", *arguments)[0] == 0
        os.remove("m.fits")
    fits.PrimaryHDU(np.ones((2, 60, 60), np.float32), header).writeto("two.fits")
    status, _, err = run("project", "mask.fits", "--onto", "two.fits", "-o", "m.fits")
    assert status == 1
    assert "image 'two.fits': its PRIMARY must have 2 axes, it has 2 x 60 x 60" in err


def test_a_header_without_the_distortion_is_a_warning(run, tmp_path, monkeypatch):
    """Of an exposure; a resampled image has none."""
    monkeypatch.setattr("mirimask.pipeline.gwcs.pipeline_sky", lambda path: None)
    plane = fits.ImageHDU(squares().astype(np.uint8), plain((60, 60)).to_header(), name="SCI")
    column = fits.Column("ASDF_METADATA", "1B", array=np.zeros(1, np.uint8))
    for name, cards in (("cal", {}), ("i2d", {"S_RESAMP": "COMPLETE"})):
        asdf = fits.BinTableHDU.from_columns([column], name="ASDF")
        primary = fits.PrimaryHDU(header=fits.Header(cards))
        fits.HDUList([primary, plane, asdf]).writeto(f"{name}.fits")
    for name, warned in (("cal", True), ("i2d", False)):
        fits.HDUList([fits.PrimaryHDU(), plane]).writeto("mask.fits", overwrite=True)
        status, _, err = run(
            "project", "mask.fits", "--onto", f"{name}.fits", "-o", f"{name}_m.fits"
        )
        assert status == 0
        assert ("may be off by several pixels" in err) == warned


def test_elsewhere_on_the_sky_is_a_warning(run, tmp_path):
    for name, at in (("mask", (80.0, -20.0)), ("far", (81.0, -20.0))):
        header = plain((60, 60), at=at).to_header()
        plane = fits.ImageHDU(squares().astype(np.uint8), header, name="SCI")
        fits.HDUList([fits.PrimaryHDU(), plane]).writeto(f"{name}.fits")
    status, _, err = run("project", "mask.fits", "--onto", "far.fits", "-o", "m.fits")
    assert status == 0
    assert "no marked pixel of the mask lies on it" in err
