"""`python -m mirimask` is the command `mirimask`: see `mirimask.command`."""

import sys

from mirimask.command.run import main

sys.exit(main())
