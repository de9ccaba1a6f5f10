# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible imports of the filters in each process that uses one of them: all of their files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FILTERS = sorted(path.stem for path in (ROOT / "plugins" / "filter").glob("*.py"))
IMPORTED = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module("ansible_collections.mailops.odoo.plugins.filter." + name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_no_library_is_imported_before_a_filter_needs_it() -> None:
    assert "policy_expanded" in FILTERS
    command = [sys.executable, "-c", IMPORTED, str(ROOT / ".ansible" / "collections"), *FILTERS]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "ansible_collections" in imported
    assert {"dkim", "dns", "publicsuffixlist", "requests", "spf", "urllib3"} & set(imported) == set()
