# SPDX-License-Identifier: LGPL-3.0-or-later
import re

from odoo import release

# A number also for a release between two series, whose major version is such as "saas~18".
SERIES = int(re.search(r"\d+", str(release.version_info[0])).group())
