"""`make fuzz`: every part after the other; exit status 1 if one had a bad case."""

import argparse
import subprocess
import sys
from pathlib import Path

# cases of a part for each image, and minutes after which no case is begun
PARTS = {"images": (1.0, 3.0), "catalogues": (0.5, 1.5)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=600, help="images (default: 600)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = 0
    for part, (share, minutes) in PARTS.items():
        count = max(1, round(options.count * share))
        command = [sys.executable, str(Path(__file__).with_name(f"{part}.py"))]
        command += ["--count", str(count), "--seed", str(options.seed)]
        failed += subprocess.run([*command, "--minutes", str(minutes)], check=False).returncode > 0
        print(flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
