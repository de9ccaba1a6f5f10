# SPDX-License-Identifier: GPL-3.0-or-later
"""All that needs no Odoo, in a container of the gateway's image: prints JSON. Argument: Odoo's mailgate script."""

import json
import sys
from pathlib import Path

from benchmarks.bridge import forward, maps, null_server, through_postfix

if __name__ == "__main__":
    figures = {
        **null_server.measure(),
        **through_postfix.measure(),
        **forward.measure(Path(sys.argv[1])),
        **maps.measure(),
    }
    print(json.dumps(figures))
