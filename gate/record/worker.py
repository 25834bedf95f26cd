"""The process that looks at a part of the contents of a large log for `gate log verify`.

Arguments: the file, the part, the number of parts. It prints the digests of the contents there, then those
of the contents that were changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gate.errors import GateError
from gate.record.contents import looked_at
from gate.record.sqlite import open_sqlite


def main() -> int:
    """Exit code 0 means that all of the part was read."""
    place, part, parts = sys.argv[1:]
    try:
        log = open_sqlite(Path(place))
        log.map_file()
        print(json.dumps(looked_at(log, int(part), int(parts))))  # noqa: T201 - its answer
        log.close()
    except GateError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
