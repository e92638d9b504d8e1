"""The configuration of a study: completed, and refused in one line where something is wrong."""

import copy
import subprocess
import sys

import pytest
import yaml
from conftest import ROOT
from mirimask.errors import MaskError
from study.settings import Study

DETECTORS = yaml.safe_load((ROOT / "config" / "detectors.yaml").read_text())["detectors"]


def merged(below, above):
    """As Snakemake puts a --configfile over another."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return copy.deepcopy(above)
    return below | {key: merged(below.get(key), value) for key, value in above.items()}


def shipped(*names):
    config = {"detectors": copy.deepcopy(DETECTORS)}
    for name in ("config.yaml", *names):
        config = merged(config, yaml.safe_load((ROOT / "config" / name).read_text()))
    return config


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that makes a study of local images A and B with changed settings."""
    monkeypatch.chdir(tmp_path)

    def make(change=None, table="image\ti2d\tfilter\tcrop\nA\ta.fits\tF770W\t\nB\tb.fits\t\t\n"):
        (tmp_path / "images.tsv").write_text(table)
        config = {"study": "mine", "images": "images.tsv", "archive": {"source": "local"}}
        return Study(merged(config | {"detectors": copy.deepcopy(DETECTORS)}, change or {}))

    return make


@pytest.mark.parametrize(
    "names", [[], ["simulated.yaml"], ["stress.yaml"], ["f2550w.yaml"], ["survey.example.yaml"],
              ["simulated.yaml", "fresh.yaml", "stress.yaml", "side_by_side.yaml"]]
)  # fmt: skip
def test_the_shipped_configurations(names, monkeypatch):
    monkeypatch.chdir(ROOT)
    study = Study(shipped(*names))
    assert study.images
    # none of them shares its noise with another
    seeds = [study.field_of(image)["seed"] for image in study.by_truth]
    assert len(set(seeds)) == len(seeds)


def test_the_study_of_the_paper(monkeypatch, tmp_path):
    """Also from another working directory, as the module of another workflow."""
    monkeypatch.chdir(tmp_path)
    study = Study(shipped())
    assert study.methods == [
        "value_0.3", "derivative_0.3", "value_4.6", "derivative_4.6", "value_1", "derivative_10",
        "segmentation",
    ]  # fmt: skip
    assert study.other_methods[0] == "value_0.3@crop"
    assert study.other_methods[-1] == "segmentation"
    assert study.evaluated[:2] == ["value_0.3@crop", "derivative_0.3@crop"]
    assert study.evaluated[-1] == "cores"
    # added stars are found by cores; what is left in the sky is asked of the source mask, too
    assert study.used == [*study.evaluated, "recommended"]
    assert study.shown[0] == "recommended"
    assert "value_1@crop_or_derivative_4.6@crop" in study.evaluated
    assert study.labelled(["value_1", "value_1@crop", "segmentation"]) == [
        ["value_1", "published"],
        ["value_1", "crop"],
        ["segmentation", ""],
    ]
    assert study.config["published"] == str(ROOT / "config" / "published")
    assert study.images_from("mast") == "|".join(study.images)
    assert study.images_from("local") == "(?!)"
    assert study.has_paper_images
    assert not study.by_truth


def test_a_slice_over_both_domains_is_counted_once_in_the_other(own):
    study = own({"methods": ["value_1@crop", "value_1", "cores"], "slice_domain": "published"})
    assert study.other_methods == ["value_1@crop", "cores"]


def test_the_parts_of_combinations_have_domains(own):
    """Each its own, or the study's; a label names one, or is of both."""
    joined = "value_1_or_derivative_4.6"
    over_the_crop = "value_1@crop_or_derivative_4.6@crop"
    mixed = "value_2@crop_and_cores_or_value_1"
    study = own({"methods": [joined, mixed, "cores"], "slice_domain": "published"})
    assert study.other_methods == [over_the_crop, "value_2@crop_and_cores_or_value_1@crop", "cores"]
    assert study.labelled([joined, over_the_crop, mixed, "cores_or_segmentation"]) == [
        [joined, "published"],
        [joined, "crop"],
        [mixed, "mixed"],
        ["cores_or_segmentation", ""],
    ]
    study = own({"methods": [over_the_crop], "slice_domain": "crop"})
    assert study.methods == [joined]
    assert study.labelled_name(joined) == [joined, "crop"]
    same = [joined, "value_1@published_or_derivative_4.6@published"]
    with pytest.raises(MaskError, match=f"methods: '{joined}' and '{joined}' are the same mask"):
        own({"methods": same, "slice_domain": "published"})


def test_slices_over_the_crop(own):
    study = own({"slice_domain": "crop", "methods": ["value_1@crop", "value_2@published"]})
    assert study.methods == ["value_1", "value_2@published"]
    assert study.other_methods == ["value_1@published", "value_2@published"]
    assert study.evaluated[:2] == ["value_1", "value_2"]
    assert study.domain_of("value_1") == "crop"
    assert study.domain_of("value_2@published") == "published"
    assert study.parts_of("value_1@crop_or_value_2") == ["value_1", "value_2"]


def test_an_image_has_its_own_crop(own):
    table = "image\ti2d\tcrop\nA\ta\t\nB\tb\tnone\nC\tc\t5:105,430:500\n"
    study = own({"crop": {"rows": [20, 1000], "columns": [430, 1020]}}, table)
    assert [study.crop_of("A", axis) for axis in ("rows", "columns")] == [[20, 1000], [430, 1020]]
    assert [study.crop_of("B", axis) for axis in ("rows", "columns")] == [None, None]
    assert [study.crop_of("C", axis) for axis in ("rows", "columns")] == [[5, 105], [430, 500]]


def test_a_row_that_names_a_file_is_local(own):
    table = "image\tprogram\tobservation\tfilter\ti2d\nA\t1\t2\tF770W\t\nB\t\t\t\tb.fits\n"
    study = own({"archive": {"source": "mast"}}, table)
    assert (study.source_of("A"), study.source_of("B")) == ("mast", "local")
    assert study.own_files("B") == {"i2d": "b.fits"}
    assert study.config["published"] is None


def test_circles_that_follow_the_catalogue(own):
    study = own({"verdict": {"radius": "catalogue", "near": "3 arcsec"}})
    assert study.config["verdict"]["radius"] == "1.98 arcsec"  # 18 px of 0.11" for unWISE
    assert study.config["verdict"]["near"] == "3 arcsec"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"study": "downloads"}, "writes into results/downloads, the folder of all"),
        ({"metods": []}, "'metods' is no key .is 'methods' meant"),
        ({"peaks": {"snr": -1}}, "peaks.snr"),
        (
            {"peaks": {"snr": "3"}},
            "given as a text, as Snakemake takes what is in {} after --config",
        ),
        ({"verdict": {"smallest_spot": "null"}}, "given as a text, as Snakemake"),
        ({"peaks": {"snr": float("nan")}}, "peaks.snr: nan is no number"),
        ({"evaluation": {"magnitudes": [21, 22, 23, float("inf")]}}, "magnitudes.3: inf is no"),
        ({"methods": ["value_1", "value_1.0"]}, "^methods: .*same mask"),
        ({"methods": ["no_such"]}, "^methods: 'no_such' is not a mask method"),
        ({"methods": ["value_0"]}, "^methods: 'value_0'.*above 0 and below 100"),
        ({"methods": ["value_100"]}, "above 0 and below 100"),
        ({"methods": ["derivative_120"]}, "above 0 and below 100"),
        ({"methods": ["value_4,6"]}, "point for decimals"),
        ({"products": {"methods": ["value_0"]}}, "^products.methods: .*above 0 and below 100"),
        ({"study": "../elsewhere"}, "study: '../elsewhere'"),
        ({"crop": {"rows": [20], "columns": [0, 9]}}, "crop.rows: .20. must have at least 2 ent"),
        ({"evaluation": {"curve_rates": []}}, "curve_rates: .* at least 1 entries"),
        ({"catalogue": {"name": "cat"}}, "catalogue.name"),
        ({"evaluation": {"methods": ["no_such"]}}, "^evaluation.methods: 'no_such'"),
        ({"evaluation": {"methods": ["value_1@crop"]}}, "evaluation.methods: 'value_1@crop'"),
        ({"products": {"methods": ["no_such"]}}, "^products.methods: 'no_such'"),
        ({"by_eye": {"methods": ["value_200"]}}, "^by_eye.methods: 'value_200'"),
        ({"by_eye": {"images": ["Img99"]}}, "^by_eye.images: 'Img99'"),
        ({"figures": {"figure3": {"methods": ["value_1", "x"]}}}, "^figures.figure3.methods: 'x'"),
        ({"figures": {"figure4": ["value_1", "x"]}}, "^figures.figure4: 'x'"),
        ({"figures": {"figure5": ["x", "value_1"]}}, "^figures.figure5: 'x'"),
        ({"figures": {"figure1_image": "C"}}, "figure1_image: 'C' is no image .*known: A, B"),
        ({"figures": {"figure3": {"image": "C"}}}, "figures.figure3.image: 'C'"),
        ({"figures": {"histogram_range": {"C": [1, 2]}}}, "figures.histogram_range: 'C'"),
        ({"figures": {"histogram_range": {"A": [2, 1]}}}, "histogram_range.A: from 2 to 1"),
        ({"detectors": {"sextract": DETECTORS["sextractor"]}}, "'sextract' is no detector"),
        ({"detectors": {"log": {"levels": [9, 2, 13]}}}, "detectors.log.levels: from 9 to 2"),
        ({"side_by_side": {"families": ["logg"]}}, "side_by_side.families: 'logg'"),
        ({"side_by_side": {"tuned_on": ["A", "C"]}}, "side_by_side.tuned_on: 'C'"),
        ({"side_by_side": {"main_rate": 2}}, "side_by_side.main_rate: 2"),
        ({"evaluation": {"curve_magnitudes": [25, 24]}}, "curve_magnitudes: from 25 to 24"),
        ({"evaluation": {"truth_magnitudes": [27, 16, 1]}}, "truth_magnitudes: from 27 to 16"),
        ({"evaluation": {"truth_magnitudes": [16, 27, 0]}}, "truth_magnitudes: the step 0"),
        ({"evaluation": {"realisations": 0}}, "evaluation.realisations"),
        ({"evaluation": {"sensitivity": {"segmentations": [{"snrr": 3}]}}}, "'snrr' is no key"),
        ({"evaluation": {"sensitivity": {"cuts": ["FW1 >"]}}}, "evaluation.sensitivity.cuts"),
        ({"crop": {"rows": [9, 9], "columns": [0, 5]}}, "^crop, rows: from 9 to 9"),
        ({"crop": {"rows": [0, 9], "columns": [0, 5]}}, "^crop, columns: from 0 to 5 are 5 pixels"),
        ({"verdict": {"radius": "18"}}, "verdict.radius: '18'.*This is for: a size"),
        ({"verdict": {"radius": "0 px"}}, "verdict.radius: '0 px'"),
        ({"verdict": {"radius": "0.0 arcsec"}}, "verdict.radius"),
        ({"peaks": {"background_box": "00 fwhm"}}, "peaks.background_box"),
        ({"by_eye": {"cutout": "0 px"}}, "by_eye.cutout"),
        ({"survey": {"filter": "F1065C"}}, "survey: filter: 'F1065C'"),
        ({"catalogue": {"name": "mine"}, "archive": {"source": "mast"}}, "not a known catalogue"),
        ({"catalogue": {"vizier": "a", "irsa": "b"}}, "one table"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(own, change, says):
    table = "image\ti2d\tprogram\tobservation\tfilter\nA\ta\t\t\t\nB\tb\t\t\t\n"
    if change.get("archive"):
        table = "image\tprogram\tobservation\tfilter\nA\t1\t2\tF770W\n"
    with pytest.raises(MaskError, match=says) as error:
        own(change, table)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", ["0.5 px", "10 px", "0.05 arcsec", "100 arcsec", "20.0 px"])
def test_sizes_above_zero(own, size):
    assert own({"verdict": {"radius": size}}).config["verdict"]["radius"] == size


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("image\tfilter\nA\tF770W\n", "row 'A' of 'images.tsv' has no i2d"),
        ("image\ti2d\tfilter\nA\ta\tF1065C\n", "row 'A'.*'F1065C' is not a MIRI imaging filter"),
        ("image\ti2d\tcrop\nA\ta\t9:5,0:5\n", "row 'A'.*crop, rows: from 9 to 5"),
        (
            "image\ti2d\tcrop\nA\ta\t0:9,3:9\n",
            "row 'A'.*columns: from 3 to 9 are 6 pixels; a crop needs 8",
        ),
        ("image\ti2d\tcrop\nA\ta\t0:5,5:5\n", "row 'A'.*crop, columns: from 5 to 5"),
        ("image\ti2d\tcrop\nA\ta\tall\n", "row 'A': crop: 'all'"),
    ],
)
def test_rows_that_cannot_be(own, table, says):
    with pytest.raises(MaskError, match=says):
        own(table=table)


def test_own_files_beside_an_image_of_the_archive_are_not_passed_over(own):
    table = "image\tprogram\tobservation\tfilter\tcatalogue\nA\t1\t2\tF770W\tmine.csv\n"
    with pytest.raises(MaskError, match=r"row 'A'.*no i2d, but catalogue, which"):
        own({"archive": {"source": "mast"}}, table)


def test_a_detector_that_is_not_installed(own):
    absent = {"jwst_source_catalog": {"settings": {"python": "nowhere/python"}}}
    with pytest.raises(MaskError, match=r"by_eye.methods: 'jwst_source_catalog' needs the Python"):
        own({"by_eye": {"methods": ["jwst_source_catalog"]}, "detectors": absent})
    study = own({"detectors": absent})
    assert "jwst_source_catalog" in study.not_installed
    assert "jwst_source_catalog" not in study.installed


def test_a_detector_without_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images.tsv").write_text("image\ti2d\nA\ta\n")
    config = {"images": "images.tsv", "archive": {"source": "local"}, "methods": ["log_5"]}
    with pytest.raises(MaskError, match=r"settings of log are not given.*config/detectors"):
        Study(config)


def test_the_hash_of_a_detector_is_of_its_own_module(own):
    settings = own().settings_of_parts(["log_3_or_value_1", "dog", "ssa"])
    assert list(settings) == ["dog", "log", "ssa", "value"]
    assert settings["log"]["code"] == settings["dog"]["code"] != settings["ssa"]["code"]
    assert settings["ssa"]["settings"] == DETECTORS["ssa"]["settings"]


def test_groups_of_images(own):
    groups = {"first": ["A", "not here"], "none": ["not here"]}
    study = own({"side_by_side": {"groups": groups}})
    assert study.groups == {"first": ["A"], "real images": ["B"]}
    groups = {"first": ["A"], "real images": ["B"]}  # as the rest would be called
    assert own({"side_by_side": {"groups": groups}}).groups == groups
    groups = {"real images": ["A"]}
    assert own({"side_by_side": {"groups": groups}}).groups == {"real images": ["A", "B"]}


FIELD = {"seed": 1, "background": {"level": 6}}
OBSERVED = {
    "principal_investigator": "SIMULATED",
    "observation_id": "V99999011001P0000000002101",
    "obs_date": "2023-01-01",
    "effective_exposure_s": 1000,
    "guide_star_id": "SIM0000011",
    "guide_star_ra_deg": 281.5,
    "guide_star_dec_deg": -2.6,
}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"A": FIELD | {"observation": OBSERVED}}, "no field 'B'; add it under simulation.fields"),
        ({"A": FIELD, "B": FIELD}, "table1.csv' has no row 'A'; give simulation.fields.A"),
        (dict.fromkeys("AB", FIELD | {"observation": OBSERVED}), "A and B have the same seed 1"),
        (
            {"A": FIELD | {"observation": OBSERVED | {"obs_date": "2023-13-45"}}},
            "simulation.fields.A.observation: obs_date is '2023-13-45', which is no date",
        ),
        (
            {
                "A": FIELD
                | {
                    "observation": OBSERVED | {"guide_star_dec_deg": 90},
                    "offset_deg": [0, 0.5],
                }
            },
            r"fields.A.observation: guide_star_dec_deg and offset_deg put .* 90.5; it has to be",
        ),
        (
            {
                "A": FIELD
                | {
                    "observation": OBSERVED,
                    "dead_area": {"rows": [0, 100], "columns": [500, 500]},
                }
            },
            r"simulation.fields.A.dead_area.columns: from 500 to 500 holds nothing",
        ),
    ],
)
def test_simulated_fields(own, fields, says):
    change = {"archive": {"source": "simulated"}, "simulation": {"fields": fields}}
    with pytest.raises(MaskError, match=says):
        own(change, "image\nA\nB\n")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("A,2023-02-30,10", "simulation.observations: row 'A': obs_date is '2023-02-30', which is"),
        ("A,2023-02-03,?", r"row 'A': guide_star_dec_deg is '\?', which is no number"),
        ("A,2023-02-03,nan", "declination nan; it has to be"),
    ],
)
def test_simulated_fields_of_a_table_of_observations(own, tmp_path, row, says):
    path = tmp_path / "observed.csv"
    path.write_text(f"code,obs_date,guide_star_dec_deg\n{row}\n")
    simulation = {"observations": str(path), "fields": {"A": FIELD}}
    with pytest.raises(MaskError, match=says):
        own({"archive": {"source": "simulated"}, "simulation": simulation}, "image\nA\n")


def test_a_survey_asks_for_something(own):
    with pytest.raises(MaskError, match=r"neither survey.program nor survey.region"):
        own().survey_settings()
    study = own({"survey": {"program": "1837"}})
    assert study.survey_settings()["program"] == "1837"
    assert study.failed_before("jw01837-o001_t001_miri_f770w") == 0


def test_what_snakemake_imports_at_every_start_is_light():
    """Of what a command starts with, as `workflow/rules/common.smk` imports it."""
    modules = ["job", *(f"study.{path.stem}" for path in (ROOT / "workflow/study").glob("*.py"))]
    heavy = ("scipy", "astropy", "photutils", "pandas", "matplotlib", "skimage", "sep", "requests")
    code = (
        f"import sys; sys.path[:0] = {[str(ROOT / 'workflow' / at) for at in ('', 'scripts')]}; "
        f"import {', '.join(modules)}; print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
