"""`python -m mirimask`: see `command`."""

import sys

from mirimask.command import main

sys.exit(main())
