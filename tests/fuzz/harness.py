"""What every part of `make fuzz` shares: cases in processes of their own, judged and counted.

A case is a small thing that a person could do: a file that is damaged or written in another way,
and what is then asked of the project. It ends as one of

- ok: it worked, and what was written is right;
- said: refused with exit status 1 or 2 and one line that names what is wrong;
- traceback: an exception reached the person, or the process died;
- hang: the time limit of a case was over;
- wrong: a wrong answer without a word, a refusal of what is good, or an unclear message.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

OUTCOMES = ("ok", "said", "traceback", "hang", "wrong")
BAD = OUTCOMES[2:]
MEMORY = 4 << 30  # bytes of address space for a case: more than any small image can need
KEPT = Path("results/fuzz")


@dataclass(frozen=True)
class Case:
    """`try_it` is called in an empty folder, and gives the outcome and why."""

    name: str
    try_it: Callable[[], tuple[str, str]]


class Failed(Exception):
    """A case that ends as `outcome`, for the reason that is the exception's text."""

    def __init__(self, outcome: str, why: str) -> None:
        super().__init__(why)
        self.outcome = outcome


def demand(condition: object, why: str) -> None:
    """The case is wrong where the condition does not hold."""
    if not condition:
        raise Failed("wrong", why)


@dataclass(frozen=True)
class Answer:
    """What `mirimask` gave back."""

    status: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if "error:" in line]


def mirimask(*arguments: object) -> Answer:
    """Run the command as a person does, in this process, what it prints caught at the descriptors.

    Failed("traceback") where an exception came out of it.
    """
    from mirimask.command.run import main

    words = [str(argument) for argument in arguments]
    number = len(list(Path().glob("*.stderr"))) + 1
    names = [Path(f"{number}.{name}") for name in ("stdout", "stderr")]
    Path(f"{number}.command").write_text("mirimask " + " ".join(map(_quoted, words)) + "\n")
    sys.stdout.flush()
    sys.stderr.flush()
    before = [os.dup(1), os.dup(2)]
    for descriptor, name in enumerate(names, start=1):
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, descriptor)
        os.close(file)
    uncaught = None
    try:
        status = main(words)
    except BaseException as error:  # also a SystemExit is nothing that main may raise
        status, uncaught = 1, error
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, kept in enumerate(before, start=1):
            os.dup2(kept, descriptor)
            os.close(kept)
    out, err = (name.read_text(errors="replace") for name in names)
    if uncaught is not None:
        raise Failed("traceback", f"{words[0]}: {place_of(uncaught)}")
    if "Traceback (most recent call last)" in err:
        raise Failed("traceback", f"{words[0]}: a traceback on standard error")
    return Answer(status, out, err)


def _quoted(word: str) -> str:
    return word if re.fullmatch(r"[\w./:=+-]+", word) else "'" + word.replace("'", r"'\''") + "'"


def place_of(error: BaseException) -> str:
    """The exception and where it came from: its last frame, and the last one of the project."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/mirimask/" in frame.filename]
    shown = [f"{Path(f.filename).name}:{f.name}" for f in (own[-1:] + frames[-1:])]
    text = (str(error) or "").splitlines() or [""]
    return f"{type(error).__name__} in {' < '.join(dict.fromkeys(shown))} ({text[0][:80]})"


def said(answer: Answer, *names: str) -> None:
    """A refusal is one line with `error:` that names the file; wrong where it is not."""
    demand(answer.status in (1, 2), f"exit status {answer.status}")
    demand(len(answer.errors) == 1, f"{len(answer.errors)} lines with 'error:'")
    rest = [line for line in answer.err.splitlines() if line not in answer.errors]
    noise = [line for line in rest if not line.startswith("mirimask: warning:")]
    if noise:
        NOISE.append(_kind(noise))
    demand(
        any(name in answer.errors[0] for name in names),
        f"the error does not name the file: {_kind(answer.errors)}",
    )
    left = [path.name for path in Path().rglob("*partial*")]
    demand(not left, "a file half-written is left behind")


LAST_RESORT = "the last resort"
NOISE: list[str] = []  # of this case: lines on standard error that are not the project's


def quiet(answer: Answer) -> None:
    """Note what is said besides warnings of the project's own and the summary of `mask`."""
    noise = [
        line
        for line in answer.err.splitlines()
        if not re.match(r"mirimask: warning: |\S+: \d+ pixels, ", line)
    ]
    if noise:
        NOISE.append(_kind(noise))


def _kind(lines: list[str]) -> str:
    """The first line, short and without numbers and paths: what the same faults have in common."""
    text = re.sub(r"'[^']*'|\S*/\S+", "...", lines[0]) if lines else ""
    return re.sub(r"\d+", "0", text)[:100]


### processes ######################################################################################


def _case(case: Case, folder: Path) -> None:
    """In a process of its own: try a case and write down how it ended."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.setsid()
    os.chdir(folder)
    other = os.open("other.txt", os.O_WRONLY | os.O_CREAT)  # what the judge's own reading says
    os.dup2(other, 1)
    os.dup2(other, 2)
    try:
        outcome, why = case.try_it()
        why = why or _remark()
    except Failed as failed:
        outcome, why = failed.outcome, str(failed)
    except Exception as error:
        outcome, why = "wrong", f"it could not be judged: {place_of(error)}"
        Path("judge.txt").write_text(traceback.format_exc())
    Path("outcome.json").write_text(json.dumps([outcome, why]))
    sys.stdout.flush()
    os._exit(0)


def _remark() -> str:
    """What is not quite right in a good case."""
    for path in sorted(Path().glob("*.stderr")):
        text = path.read_text(errors="replace")
        fault = re.search(r"cannot be worked on \((.*)\); this is a fault of mirimask", text)
        if fault:
            return f"{LAST_RESORT}: {fault[1]}"
    return f"noise: {NOISE[0]}" if NOISE else ""


def _ended(process: multiprocessing.Process, folder: Path) -> tuple[str, str]:
    found = folder / "outcome.json"
    if found.exists():
        outcome, why = json.loads(found.read_text())
        found.unlink()
        return outcome, why
    return "traceback", f"the process died (exit code {process.exitcode})"


def attempt(
    cases: dict[int, Case], options: argparse.Namespace, folder: Path
) -> dict[int, tuple[str, str]]:
    """Try the cases, `options.workers` at a time; gives outcome and reason of each."""
    context = multiprocessing.get_context("fork")
    waiting, running = list(cases), {}
    done: dict[int, tuple[str, str]] = {}
    end = time.monotonic() + 60 * options.minutes
    while waiting or running:
        while waiting and len(running) < options.workers and time.monotonic() < end:
            number = waiting.pop(0)
            place = folder / str(number)
            place.mkdir()
            process = context.Process(target=_case, args=(cases[number], place))
            process.start()
            running[number] = process, time.monotonic() + options.limit, place
        if not running:
            break  # no time is left for the others
        wait([process.sentinel for process, _, _ in running.values()], timeout=0.2)
        for number, (process, limit, place) in list(running.items()):
            if process.is_alive() and time.monotonic() < limit:
                continue
            if process.is_alive():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                process.kill()
                process.join()
                done[number] = "hang", f"not done after {options.limit:g} s"
            else:
                process.join()
                done[number] = _ended(process, place)
            del running[number]
            if done[number][0] not in BAD and not options.keep:
                shutil.rmtree(place)
    return done


def import_what_is_needed(case: Case) -> None:
    """Import what a good case needs, once, so that no other case has to."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)

    def names() -> None:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            with suppress(Exception):
                case.try_it()
            theirs.send([name for name in sys.modules if name != "__main__"])
        os._exit(0)

    process = context.Process(target=names)
    process.start()
    theirs.close()
    try:
        needed = ours.recv()
    except EOFError:
        needed = []
    process.join()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in needed:
            with suppress(Exception):
                importlib.import_module(name)


### the command line ###############################################################################


def arguments(part: str, description: str, *, count: int, limit: float) -> argparse.Namespace:
    """The options that every part has."""
    parser = argparse.ArgumentParser(prog=f"python tests/fuzz/{part}.py", description=description)
    parser.add_argument("--count", type=int, default=count, help=f"cases (default: {count})")
    parser.add_argument("--seed", type=int, default=1, help="of their choice (default: 1)")
    parser.add_argument("--only", type=int, nargs="+", help="these cases, by their numbers, alone")
    parser.add_argument("--keep", action="store_true", help="keep the folders of good cases too")
    parser.add_argument("--verbose", action="store_true", help="a line for each case")
    parser.add_argument("--list", action="store_true", help="name the cases and try none")
    parser.add_argument(
        "--limit", type=float, default=limit, help=f"seconds for a case (default: {limit:g})"
    )
    parser.add_argument(
        "--minutes", type=float, default=30, help="begin no case after this (default: 30)"
    )
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--kept", type=Path, default=KEPT, help=f"folder (default: {KEPT})")
    options = parser.parse_args()
    options.part = part
    options.count = max([options.count, *(options.only or [])])
    return options


def run(cases: list[Case], options: argparse.Namespace) -> int:
    """Try cases, keep the bad ones, print the counts; gives the exit status."""
    chosen = {
        number: case
        for number, case in enumerate(cases[: options.count], start=1)
        if not options.only or number in options.only
    }
    if options.list:
        for number, case in chosen.items():
            print(f"{number:5d}  {case.name}")
        return 0
    started = time.monotonic()
    kept = options.kept / options.part
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        done = attempt(chosen, options, Path(folder))
        for number in done:
            place = Path(folder) / str(number)
            if place.exists():
                _keep(place, kept, number, chosen[number].name, done[number], options)
    counts = Counter(outcome for outcome, _ in done.values())
    noisy = Counter(why for _, why in done.values() if why.startswith("noise: "))
    seconds = time.monotonic() - started
    if options.verbose:
        for number, (outcome, why) in sorted(done.items()):
            print(f"{number:5d}  {outcome:10} {chosen[number].name}  {why}".rstrip())
    report(chosen, done)
    print(
        f"{options.part}, seed {options.seed}: {len(done)} tried in {seconds:.0f} s: "
        + ", ".join(f"{counts[outcome]} {outcome}" for outcome in OUTCOMES)
    )
    last = {number: why for number, (_, why) in done.items() if why.startswith(LAST_RESORT)}
    if last:
        print(
            f"{len(last)} of the said are the last resort: a fault that is caught, and asked to be "
            "told:"
        )
    for number, why in sorted(last.items()):
        print(f"{number:5d}  {chosen[number].name}  {why.removeprefix(LAST_RESORT + ': ')}")
    if noisy:
        line, number = noisy.most_common(1)[0]
        print(
            f"{noisy.total()} of the ok and said had lines on standard error that are not the "
            f"project's, {number} of them: {line.removeprefix('noise: ')}"
        )
    if len(done) < len(chosen):
        print(f"no time was left for {len(chosen) - len(done)} (--minutes {options.minutes:g})")
    bad = sum(counts[outcome] for outcome in BAD)
    if bad:
        first = min(number for number, (outcome, _) in done.items() if outcome in BAD)
        print(
            f"kept in {kept}/; to repeat one: python tests/fuzz/{options.part}.py "
            f"--seed {options.seed} --only {first}"
        )
    return int(bad > 0)


def _keep(
    place: Path, kept: Path, number: int, name: str, end: tuple[str, str], options: object
) -> None:
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:50]
    target = kept / f"{number:04d}-{end[0]}-{slug}"
    shutil.copytree(place, target, symlinks=True)
    (target / "WHY.txt").write_text(
        f"{name}\n{end[0]}: {end[1]}\n\n"
        f"repeat: python tests/fuzz/{options.part}.py --seed {options.seed} --only {number}\n"
        "or run the lines of *.command in this folder.\n"
    )


def report(cases: dict[int, Case], done: dict[int, tuple[str, str]]) -> None:
    """The bad cases, those of the same reason together."""
    groups: dict[tuple[str, str], list[int]] = {}
    for number, end in sorted(done.items()):
        if end[0] in BAD:
            groups.setdefault(end, []).append(number)
    for (outcome, why), numbers in sorted(groups.items(), key=lambda item: -len(item[1])):
        print(f"{len(numbers):4d} x {outcome}: {why}")
        for number in numbers[:4]:
            print(f"         {number}: {cases[number].name}")
