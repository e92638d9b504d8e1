"""What the jobs of a study warned of: read from their logs, <rule>[/<image>[/<mask>]].log."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

__all__ = ["Warned", "gathered_warnings", "warnings_page"]

# rules whose logs are named by something else than an image
_OF_STUDY = ("make_psf", "sweep_family", "tune_family", "judge_family")
_LEVELS = ("DEBUG: ", "INFO: ", "WARNING: ", "ERROR: ", "CRITICAL: ")


@dataclass(frozen=True)
class Warned:
    """A warning: of which image ('' for the whole study), by which jobs, and what it says."""

    image: str
    jobs: tuple[str, ...]
    text: str


def gathered_warnings(
    folder: Path, images: Collection[str], masks: Collection[str], *, since: float = inf
) -> list[Warned]:
    """The warnings in the logs below `folder`, by image in the order of `images`, the study's last.

    What several jobs of an image say alike is there once. Logs of other images do not count, nor
    those of other `masks` that are older than `since` (seconds): an earlier run left them. A folder
    that is not there has no warning.
    """
    jobs: dict[tuple[str, str], list[str]] = {}
    for log in sorted(folder.rglob("*.log")):
        rule, *about = log.relative_to(folder).with_suffix("").parts
        # codes of images and names of masks may hold dots: only ".log" is off
        image = about[0] if about else ""
        of_study = not about or rule in _OF_STUDY
        if not of_study and image not in images:
            continue
        mask = "" if not about else about[-1] if of_study or len(about) > 1 else ""
        if mask and not of_study and mask not in masks and log.stat().st_mtime < since:
            continue
        for text in _warnings(log.read_text(encoding="utf-8", errors="replace")):
            key = "" if of_study else image
            jobs.setdefault((key, text.removeprefix(f"{image}: ")), []).append(
                f"{rule} {mask}".strip()
            )
    order = {image: place for place, image in enumerate([*images, ""])}
    return [
        Warned(image, tuple(names), text)
        for (image, text), names in sorted(jobs.items(), key=lambda item: order[item[0][0]])
    ]


def _warnings(log: str) -> Iterator[str]:
    """The warnings of a log, each on one line: those that go on for several are joined."""
    lines: list[str] = []
    for line in [*log.splitlines(), _LEVELS[0]]:
        if line.startswith(_LEVELS):
            if lines:
                yield " ".join(lines)
            lines = [line.removeprefix("WARNING: ")] if line.startswith("WARNING: ") else []
        elif lines:
            lines.append(line.strip())


def warnings_page(warned: Sequence[Warned]) -> str:
    """All warnings as a page in Markdown."""
    lines = ["# Warnings", ""]
    if not warned:
        lines += ["No job warned of anything."]
    for image in dict.fromkeys(one.image for one in warned):
        lines += [f"## {image or 'The whole study'}", ""]
        lines += [f"- {one.text} ({', '.join(one.jobs)})" for one in warned if one.image == image]
        lines += [""]
    return "\n".join(lines).rstrip() + "\n"
