"""Where the programs are."""

import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
ROOT = HOME.parent
PEERS = ROOT / "conformance" / "peers"

BUILD = Path(os.environ.get("KILL_MATRIX_BUILD", ROOT / "build" / "kill-matrix"))
VICTIM = BUILD / "kill-matrix" / "kill_matrix_victim"

# Programs that do the steps of conformance/peers/PROTOCOL.md, over a core as it ships.
PEER_COMMANDS = {
    "cpp": [str(ROOT / "build" / "release" / "conformance" / "conformance_peer")],
    "python": [sys.executable, str(PEERS / "python" / "peer.py")],
    "typescript": ["node", str(ROOT / "conformance" / "dist" / "main.js")],
}

# The same, which also end in the middle of things.
ENDING_COMMANDS = {
    "python": [sys.executable, str(HOME / "victim" / "leave.py")],
    "typescript": ["node", str(HOME / "victim" / "leave.mjs")],
}

LANE = "kill/matrix"  # where they meet
LARGE = 40000  # bytes: a payload that fills a slot of its own
SLOT = 40960  # bytes that the slot of a large payload takes
