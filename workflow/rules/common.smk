import csv
import hashlib
import inspect
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

# Arrays here are small: more threads a job only get in the other jobs' way.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

# The library and the scripts are found beside this file, by this process and by its jobs.
WORKFLOW = Path(inspect.getfile(lambda: None)).resolve().parents[1]
SCRIPTS = WORKFLOW / "scripts"
for folder in (WORKFLOW, SCRIPTS):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
os.environ.update(
    PYTHONPATH=os.pathsep.join(
        dict.fromkeys(
            [str(WORKFLOW), str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
    )
)

from job import Workers

WORKERS = Workers()

from mirimask.errors import MaskError
from study.folders import check_folders, check_writable


def here(script, **job):
    """Run a script's main in a process that this run keeps for its jobs (see job.py)."""
    WORKERS.run(script, job)


def said(check, *arguments):
    """A check of the library's, whose error Snakemake is to say without a traceback."""
    try:
        check(*arguments)
    except MaskError as error:
        raise WorkflowError(str(error)) from None


said(check_folders, Path("results"))
said(check_writable, Path(".snakemake"))

from mirimask.detectors import DETECTORS, missing, split_level
from mirimask.mask_functions import function_names
from mirimask.methods import DOMAINS, check_methods, parse_method

### code as an input ###############################################################################


# the project's own modules by the names they are imported by
MODULES = {
    ".".join(file.relative_to(folder).with_suffix("").parts): file
    for folder, pattern in ((WORKFLOW, "mirimask/*.py"), (SCRIPTS, "*.py"))
    for file in folder.glob(pattern)
}
IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|.*)|import[ \t]+(.*))$",
    re.MULTILINE,
)


@cache
def imported_files(file):
    """The project's own modules that a file imports itself."""
    names = set()
    # read as text: to parse all modules would take longer than to build the graph of jobs
    for module, parts, modules in IMPORT.findall(file.read_text()):
        names |= {module, *re.findall(r"[\w.]+", modules)}
        names |= {f"{module}.{part}" for part in re.findall(r"\w+", parts)}
    return {MODULES[name] for name in names & MODULES.keys()}


@cache
def code(script, folder=SCRIPTS):
    """Hash of a script, or a module of another folder, and of the library modules it uses.

    As a parameter of the rule it makes Snakemake see a change in imported code, which it would
    otherwise pass over.
    """
    files, new = set(), {folder / f"{script}.py"}
    while new:
        files |= new
        new = set().union(*map(imported_files, new)) - files
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


### settings #######################################################################################


def complaint(problem, where):
    """What a schema finds wrong, in one line, with its key."""
    key = ".".join(map(str, problem.absolute_path))
    about = problem.schema.get("description", "")
    return WorkflowError(
        f"{where}: {f'{key}: ' if key else ''}{problem.message}."
        f"{f' This is for: {about}.' if about and key else ''} See config/README.md."
    )


def check(instance, schema, where):
    """Validate against a schema, defaults filled in."""
    try:
        validate(instance, WORKFLOW / "schemas" / f"{schema}.schema.yaml")
    except WorkflowError as error:
        problem = error.__context__
        if not isinstance(problem, ValidationError):
            raise
        raise complaint(problem, where) from None


def read_rows(path):
    """The rows of a table of text, tab-separated (.tsv) or not: a dictionary each, '' where empty.

    From `#` on, a line is a comment. By csv and not pandas, whose import would be a fifth of the
    time that a run with nothing to do takes.
    """
    separator = "\t" if Path(path).suffix == ".tsv" else ","
    with open(path, newline="", encoding="utf-8") as file:
        lines = filter(str.strip, (line.partition("#")[0] for line in file))
        reader = csv.DictReader(lines, delimiter=separator, restval="", strict=True)
        rows = list(reader)
    if not reader.fieldnames:
        raise ValueError("it is empty")
    for row in rows:
        if None in row:
            raise ValueError(
                f"the row '{next(iter(row.values()))}' has more cells than the header"
            )
    return rows


def read_images(paths):
    """The rows of the tables of images by their code, every cell a text, '' where empty."""
    images = {}
    # the schema is read once: a table may have thousands of rows
    schema = yaml.safe_load((WORKFLOW / "schemas" / "images.schema.yaml").read_text())
    validator = Draft202012Validator(schema)
    for path in paths:
        try:
            rows = read_rows(path)
        except (OSError, ValueError, csv.Error) as error:
            raise WorkflowError(
                f"images: the table '{path}' cannot be read: {error}"
            ) from None
        for row in rows:
            given = {key: cell for key, cell in row.items() if cell != ""}
            problem = best_match(validator.iter_errors(given))
            if problem:
                raise complaint(problem, f"{path}, row '{row.get('image', '')}'")
            if row["image"] in images:
                raise WorkflowError(
                    f"images: '{', '.join(paths)}' has {row['image']} more than once."
                )
            images[row["image"]] = dict.fromkeys(IMAGE_COLUMNS, "") | row
    return images


IMAGE_COLUMNS = (
    "image program observation filter observation_id i2d err wht segm catalogue pixel_unit crop"
).split()


def project_file(path):
    """A path of the configuration, from the working directory or else from this project.

    A workflow that has this one as a module runs elsewhere; the paper's tables are here.
    """
    there = WORKFLOW.parent / path
    return str(there) if not Path(path).exists() and there.exists() else path


check(config, "config", "configuration")
tables = [config["images"]] if isinstance(config["images"], str) else config["images"]
config["images"] = [project_file(path) for path in tables]
if config["published"]:
    config["published"] = project_file(config["published"])
IMAGES = read_images(config["images"])
PAPER_IMAGES = {f"Img{number}" for number in range(1, 8)}
# The published tables are of the paper's images as the archive has them, and of no others.
if config["archive"]["source"] != "mast" or not PAPER_IMAGES <= IMAGES.keys():
    config["published"] = None


def source_of(image):
    """Where an image comes from: a row that names an i2d is local."""
    return "local" if IMAGES[image]["i2d"] else config["archive"]["source"]


NEEDED = {
    "local": ["i2d"],
    "mast": ["program", "observation", "filter"],
    "simulated": [],
}
for image in IMAGES:
    absent = [key for key in NEEDED[source_of(image)] if not IMAGES[image][key]]
    if absent:
        raise WorkflowError(
            f"images: row '{image}' of '{', '.join(config['images'])}' has no {' and no '.join(absent)}, "
            f"which an image from '{source_of(image)}' (archive.source) needs."
        )


def images_from(source):
    """Regular expression of the images of a source; matches nothing where it has none."""
    return "|".join(re.escape(i) for i in IMAGES if source_of(i) == source) or "(?!)"


def own_name(name):
    """A method's name without a domain that is the study's own."""
    return name.removesuffix(f"@{config['slice_domain']}")


(OTHER_DOMAIN,) = set(DOMAINS) - {config["slice_domain"]}


def in_other_domain(name):
    """The same slice in the domain that is not the study's; other methods as they are."""
    return f"{name}@{OTHER_DOMAIN}" if parse_method(name).is_slice else name


DETECTOR = "|".join(map(re.escape, DETECTORS))
unknown = sorted(config["detectors"].keys() - DETECTORS.keys())
if unknown:
    raise WorkflowError(
        f"detectors: {', '.join(unknown)} is no detector. Known: {', '.join(DETECTORS)}."
    )


def detector_settings(name):
    """A detector's settings, and the hash of its module, which is imported by its name."""
    file = DETECTORS[name].function.partition(".")[0]
    return config["detectors"][name] | {
        "code": code(file, folder=WORKFLOW / "mirimask")
    }


def detectors_of(names):
    """The settings of the detectors among methods and their parts."""
    found = {}
    for name in names:
        for part in parse_method(name).parts or [name]:
            detector = split_level(part)
            if detector:
                found[detector[0]] = detector_settings(detector[0])
    return found


def check_detectors(names, where):
    """A detector that is named but not installed is said before anything runs."""
    for name, options in detectors_of(names).items():
        lacks = missing(name, options)
        if lacks:
            raise WorkflowError(
                f"{where}: '{name}' needs {lacks}, which is not here. `make peers` installs it; "
                "or remove the method."
            )


try:
    config["methods"] = [own_name(name) for name in config["methods"]]
    METHODS = [method.name for method in check_methods(config["methods"])]
except MaskError as error:
    raise WorkflowError(str(error)) from None
check_detectors(METHODS, "methods")
OTHER_METHODS = (
    [in_other_domain(name) for name in METHODS] if config["also_other_domain"] else []
)


said(check_folders, Path(f"results/{config['study']}"))


pathvars:
    results=f"results/{config['study']}",
    logs=f"results/{config['study']}/logs",


wildcard_constraints:
    image="|".join(map(re.escape, IMAGES)),
    method=r"[^/]+",


### inputs of rules ################################################################################

SLICE = r"(value|derivative)_[0-9.]+(@(published|crop))?"


### the evaluation ################################################################################

BY_TRUTH = [image for image in IMAGES if source_of(image) == "simulated"]


def evaluated_name(name):
    """The same mask with its slices over the crop."""
    method = parse_method(name)
    if method.parts:
        join = {"union": "_or_", "intersection": "_and_"}[method.kind]
        return join.join(map(evaluated_name, method.parts))
    return own_name(f"{name.partition('@')[0]}@crop") if method.is_slice else name


def labelled_name(name):
    """A mask's method and the domain of its slices ('' without slices), for tables."""
    plain = re.sub("@(published|crop)", "", name)
    parts = parse_method(plain).parts or [plain]
    if not any(parse_method(part).is_slice for part in parts):
        return [plain, ""]
    return [plain, "crop" if evaluated_name(name) == name else "published"]


# masks of the evaluation: all slices over the crop; for chance, those of the tables too
try:
    JUDGED = [method.name for method in check_methods(config["evaluation"]["methods"])]
except MaskError as error:
    raise WorkflowError(f"evaluation/methods: {error}") from None
check_detectors(JUDGED, "evaluation/methods")
EVALUATED = list(dict.fromkeys(map(evaluated_name, [*METHODS, *JUDGED])))
BY_CHANCE = list(dict.fromkeys([*METHODS, *OTHER_METHODS, *EVALUATED]))
EVALUATED_SLICES = [
    part
    for name in EVALUATED
    for part in parse_method(name).parts or [name]
    if parse_method(part).is_slice
]
EVALUATED_SLICES = list(dict.fromkeys(map(own_name, EVALUATED_SLICES)))


# where every image has a truth to compare with
BY_TRUTH_TABLES = (
    {
        "purity": "<results>/evaluation/purity.csv",
        "agreement": "<results>/evaluation/agreement.csv",
    }
    if BY_TRUTH
    else {}
)


def evaluation_outputs():
    """What the evaluation ends with."""
    names = ["chance", "reliability", "significance", "sensitivity"]
    if BY_TRUTH:
        names += ["completeness", "purity", "agreement", "disagreements"]
    return [
        *expand(
            "<results>/evaluation/{name}.{form}", name=names, form=["csv", "png", "pdf"]
        ),
        *expand("<results>/tables/table3_chance.{form}", form=["csv", "md", "tex"]),
        "<results>/evaluation/sensitivity.md",
        "<results>/evaluation/README.md",
    ]


def injection_outputs():
    """What the added stars and the whole curves end with."""
    return [
        *expand(
            "<results>/evaluation/{name}.{form}",
            name=["injection", "curves"],
            form=["csv", "png", "pdf"],
        ),
        "<results>/evaluation/injection_depths.csv",
        "<results>/evaluation/curves_compared.csv",
    ]


### all masks side by side #######################################################################

OWN_FAMILIES = ["recommended", "value", "derivative", "union", "intersection"]


def detectors_of_families(families):
    """The settings of those families that are detectors."""
    return {name: detector_settings(name) for name in families if name in DETECTORS}


def side_by_side_groups():
    """The images that are summed up together; those in no group make one of their own."""
    groups = {
        name: [image for image in images if image in IMAGES]
        for name, images in config["side_by_side"]["groups"].items()
    }
    rest = [image for image in IMAGES if image not in sum(groups.values(), [])]
    real = rest and not set(rest) & set(BY_TRUTH)
    groups["real images" if real else "other images" if groups else "all images"] = rest
    return {name: images for name, images in groups.items() if images}


def side_by_side_methods(installed):
    """The masks of Table 3 and, at the published levels, those besides."""
    return list(
        dict.fromkeys(
            [*METHODS, "recommended", *(n for n in installed if n in DETECTORS)]
        )
    )


def side_by_side_outputs():
    """What setting all masks side by side ends with."""
    return [
        *expand(
            "<results>/side_by_side/{name}.{form}",
            name=["verdict", "curves"],
            form=["csv", "png", "pdf"],
        ),
        "<results>/side_by_side/verdict.md",
        *expand("<results>/side_by_side/table3.{form}", form=["csv", "md", "tex"]),
    ]


### what a study ends with #########################################################################


def figure_outputs():
    """All figures of a study."""
    return expand(
        "<results>/figures/{name}.{form}",
        name=[
            *("figure1", "figure2", "figure3"),
            *(f"figure{number}/{image}" for number in (4, 5) for image in IMAGES),
        ],
        form=["png", "pdf"],
    )


def product_outputs():
    """The masks that other software gets, each as labels, catalogue and regions."""
    try:
        methods = [
            own_name(method.name)
            for method in check_methods(config["products"]["methods"])
        ]
    except MaskError as error:
        raise WorkflowError(f"products/methods: {error}") from None
    return [
        path
        for form in ("labels/{image}/{method}.fits", "catalogue/{image}/{method}.ecsv")
        + ("regions/{image}/{method}.reg",)
        for path in expand(f"<results>/{form}", image=IMAGES, method=methods)
    ]


def reported_outputs():
    """What the report of a study shows."""
    ends = [
        "<results>/manifest.tsv",
        *expand(
            "<results>/tables/table{number}.{form}",
            number=[1, 2, 3],
            form=["csv", "md", "tex"],
        ),
        *figure_outputs(),
        *evaluation_outputs(),
        *injection_outputs(),
        *product_outputs(),
    ]
    if config["published"]:
        ends.append("<results>/comparison/summary.md")
    if PAPER_IMAGES <= IMAGES.keys() and config["archive"]["source"] != "local":
        ends.append("<results>/claims.md")
    ends += ["<results>/browser.html", "<results>/by_eye/score.html"]
    if config["by_eye"]["files"]:
        ends += expand(
            "<results>/by_eye/table3_by_eye.{form}", form=["csv", "md", "tex"]
        )
        ends.append("<results>/by_eye/agreement.csv")
    return ends


def final_outputs():
    """Everything that the study is run for."""
    if config["survey"]["program"] or config["survey"]["region"]:  # survey.smk
        return ["<results>/survey/products.tsv", "<results>/survey/survey.csv"]
    return [*reported_outputs(), "<results>/index.html"]
