"""`make fuzz`: every part after the other; exit status 1 if one had a bad case."""

import argparse
import subprocess
import sys
from pathlib import Path

# cases of a part for each image, and minutes after which it begins none
PARTS = {
    "images": (1.0, 2.5),
    "catalogues": (1 / 2, 1.0),
    "replies": (1 / 6, 1.0),
    "kills": (1 / 60, 1.5),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=600, help="images (default: 600)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = []
    for part, (share, minutes) in PARTS.items():
        command = [sys.executable, str(Path(__file__).with_name(f"{part}.py"))]
        command += ["--count", str(max(1, round(options.count * share)))]
        command += ["--seed", str(options.seed), "--minutes", f"{minutes:g}"]
        if subprocess.run(command, check=False).returncode:
            failed.append(part)
        print(flush=True)
    if failed:
        print(f"bad cases: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
