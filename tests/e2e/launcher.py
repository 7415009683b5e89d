"""The real program, with the areas of ``extra_areas`` beside its own."""

from __future__ import annotations

import sys
from pathlib import Path

from vorflug import areas
from vorflug.cli.__main__ import main

if __name__ == "__main__":
    areas.__path__.append(str(Path(__file__).parent / "extra_areas"))
    sys.argv[0] = "vorflug"
    main()
