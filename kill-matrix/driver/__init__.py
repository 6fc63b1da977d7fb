"""Death at every step: kills, freezes, forks and ends processes at each fault point, and looks at those who go on."""

import sys
from pathlib import Path

# The peers' own modules, for the lines that they speak and the payloads that they send.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "conformance" / "peers" / "python"))
