"""``pip install`` gives the whole program, from any folder: profiles, templates and compiled texts included."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from source_tree import copy_source
from vorflug.engine import registry

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*command, cwd, env, codes=(0,)):
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode in codes, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def pip(*arguments, cwd, env):
    # offline: what the build needs is here already
    return run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, cwd=cwd, env=env)


def environment(folder: Path) -> Path:
    """A fresh virtual environment that sees the libraries of this one, but not this one's vorflug; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    libraries = folder / "libraries"
    libraries.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        # editable installs work through .pth files and finders: those of this environment stay out
        if "vorflug" not in entry.name and entry.suffix != ".pth":
            (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return folder / "bin" / "python"


def check_whole(python, env, elsewhere, small_profile, report_of, inside):
    program = python.with_name("vorflug")
    where = run(python, "-I", "-c", "import vorflug; print(vorflug.__file__)", cwd=elsewhere, env=env).strip()
    assert where.startswith(str(inside))
    said = json.loads(run(program, "version", "--format", "json", cwd=elsewhere, env=env))
    assert said["areas"] == list(registry.names())
    assert "ai-audit-assist@1.0.0" in said["profiles"]
    assert "AI Audit Assist" in run(program, "profile", "show", cwd=elsewhere, env=env)
    help_ = run(program, "--help", "--lang", "de", cwd=elsewhere, env=env)
    assert "Aufruf:" in help_ and "Befehle:" in help_
    run(program, "run", "--profile", small_profile, "--lang", "de", "--out", "out", cwd=elsewhere, env=env, codes=(3,))
    report_of(elsewhere / "out")
    (page,) = elsewhere.glob("out/*/report.html")
    assert "Arbeitsspeicher" in page.read_text(encoding="utf-8")


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


@pytest.fixture
def wheel(tmp_path, home):
    tree = copy_source(tmp_path / "tree")
    assert not list(tree.rglob("*.mo"))
    pip(
        "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path / "wheels", ".",
        cwd=tree, env=home,
    )  # fmt: skip
    (made,) = (tmp_path / "wheels").iterdir()
    return made


def test_the_wheel_holds_everything(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    package, profiles = ROOT / "src" / "vorflug", ROOT / "requirements_profiles"
    code = {str(p.relative_to(package.parent)) for kind in ("*.py", "*.j2", "*.css") for p in package.rglob(kind)}
    data = {f"vorflug/requirements_profiles/{p.relative_to(profiles)}" for p in profiles.rglob("*") if p.is_file()}
    texts = {f"vorflug/texts/de/LC_MESSAGES/{name}.mo" for name in ("vorflug", "messages")}
    assert len(data) >= 4
    assert code | data | texts | {"vorflug/py.typed"} <= names
    assert not [name for name in names if name.startswith(("tests", "tools", "packaging"))]


def test_installed_from_a_wheel(wheel, tmp_path, home, elsewhere, small_profile, report_of):
    python = environment(tmp_path / "venv")
    pip("--python", python, "install", "--quiet", "--no-index", "--no-deps", wheel, cwd=elsewhere, env=home)
    check_whole(python, home, elsewhere, small_profile, report_of, tmp_path / "venv")


def test_installed_editable(tmp_path, home, elsewhere, small_profile, report_of):
    tree, python = copy_source(tmp_path / "tree"), environment(tmp_path / "venv")
    pip(
        "--python", python, "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--editable", tree,
        cwd=elsewhere, env=home,
    )  # fmt: skip
    check_whole(python, home, elsewhere, small_profile, report_of, tree)
