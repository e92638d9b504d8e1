"""`python -m mirimask`: see `command`."""

import sys

from mirimask.command.run import main

sys.exit(main())
