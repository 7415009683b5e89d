"""What PyInstaller cannot see by following imports: modules found by listing a package, and files beside the code.

PyInstaller manual, "Understanding PyInstaller Hooks": ``hiddenimports`` and ``datas``.
"""

from __future__ import annotations

from PyInstaller.utils.hooks import collect_data_files, collect_submodules

# areas and commands are listed, the ports of a live host are opened when they are asked: take every module
hiddenimports = collect_submodules("vorflug")
# the German sources (.po) are not read at run time
datas = collect_data_files("vorflug", includes=["**/*.mo", "**/*.j2", "**/*.css"])
