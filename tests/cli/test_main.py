"""The command line as a whole: how light it starts, what it says of itself, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from attest.samples import new_key, write_report, write_trust
from vorflug.cli.app import SUMMARIES
from vorflug.cli.errors import Exit

HEAVY = ("httpx", "dns", "psutil", "jinja2", "rich")
CALL = """
import json, sys
from vorflug.cli.__main__ import execute
code = execute(json.loads(sys.argv[1]))
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""
HELPS = """
import json, sys
import click
from vorflug.cli.language import choose
choose(["--lang", sys.argv[1]])
from vorflug.cli.app import build

def walk(name, command, parent):
    context = click.Context(command, info_name=name, parent=parent)
    yield context.command_path, command.get_help(context), isinstance(command, click.Group)
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            yield from walk(sub, command.get_command(context, sub), context)

print(json.dumps({path: [text, group] for path, text, group in walk("vorflug", build(), None)}))
"""


def _python(code, *arguments, **env):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=30, check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


def _vorflug(*arguments, **env):
    done = subprocess.run(
        [sys.executable, "-m", "vorflug.cli.__main__", *arguments], capture_output=True, text=True, timeout=30,
        check=False, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **env},
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done


# ---- light -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    key = new_key()
    return str(write_report(folder / "report", key)), str(write_trust(folder / "customer.pub", key))


@pytest.mark.parametrize("name", ["--help", "--version", "version", "verify", "gate", "run --help"])
def test_what_needs_nothing_heavy_imports_nothing_heavy(name, signed):
    folder, trust = signed
    arguments = [name, folder, "--trust", trust] if name in {"verify", "gate"} else name.split()
    done = _python(CALL, json.dumps(arguments))
    code, modules = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    assert [m for m in modules if m.partition(".")[0] in HEAVY] == []
    if name in {"--help", "--version"}:
        assert [m for m in modules if m.startswith("vorflug.cli.commands.")] == []
        assert [m for m in modules if m.partition(".")[0] in {"pydantic", "cryptography", "yaml"}] == []


# ---- help --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helps():
    return {lang: json.loads(_python(HELPS, lang).stdout) for lang in ("en", "de")}


def test_every_command_explains_itself_in_both_languages_with_an_example(helps):
    assert set(helps["en"]) == set(helps["de"])
    assert {path.split()[1] for path in helps["en"] if " " in path} == set(SUMMARIES)
    for path, (english, group) in helps["en"].items():
        german = helps["de"][path][0]
        if group and path != "vorflug":
            continue  # its commands have the examples
        assert "Example: " + path in english, path
        assert "Beispiel: " + path in german, path
        assert english.splitlines()[0].startswith("Usage: "), path
        assert not german.splitlines()[0].startswith("Usage: "), path


def test_no_option_is_without_a_text_or_a_translation(helps):
    for path, (english, _) in helps["en"].items():
        german = helps["de"][path][0]
        told = {lang: _options(text) for lang, text in (("en", english), ("de", german))}
        assert set(told["en"]) == set(told["de"]) and told["en"], path
        for name, text in told["en"].items():
            assert text, f"{path} {name} has no text"
            assert told["de"][name] != text, f"{path} {name} has no German text"


def _options(text):
    """What the help says of each option, by its first name."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        words = line.split()
        if line.startswith("  -") and words:
            name = words[0].rstrip(",")
            found[name] = line.strip()[len(words[0]) :].partition("  ")[2].strip()
        elif name and line.startswith("      "):
            found[name] = f"{found[name]} {line.strip()}".strip()
        else:
            name = ""
    return found


# ---- usage -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "lang", "said"),
    [
        (["rnu"], "en", "There is no command rnu; did you mean run?"),
        (["rnu"], "de", "run"),
        (["xyzzy"], "en", "vorflug --help"),
        (["run", "--sise", "M"], "en", "--size"),
        (["run", "--size", "XL"], "en", "XL"),
        (["run", "--deadline", "soon"], "en", "soon"),
        (["profile", "lst"], "en", "lst"),
        (["profile", "lint"], "en", "FILE"),
        (["verify"], "en", "DIR"),
        (["render", "nowhere.json", "--format", "html"], "en", "nowhere.json"),
        (["run", "--profile", "ai-audit-asist"], "en", "ai-audit-assist"),
        (["evaluate", "/dev/null"], "en", "/dev/null"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_was_meant(arguments, lang, said):
    done = _vorflug("--lang", lang, *arguments)
    assert done.returncode == Exit.USAGE, done
    assert said in done.stderr and done.stdout == ""


def test_usage_errors_are_german_for_a_german():
    for arguments, english in (
        (("rnu",), ("There is no", "did you mean", "Usage", "Error:", "Try")),
        (("run", "--sise", "M"), ("No such option", "Did you mean", "Possible options", "Usage", "Error:", "Try")),
        (("run", "--size", "XL"), ("Invalid value", "is not one of", "Usage", "Error:")),
        (("run", "--deadline", "0"), ("Invalid value", "is not in the range", "Usage")),
        (("verify",), ("Missing argument", "Usage", "Error:")),
        (("collect",), ("Missing option", "Usage", "Error:")),
        (("run", "left", "over"), ("Got unexpected extra", "Usage", "Error:")),
        (("run", "--size"), ("requires an argument", "Usage", "Error:")),
    ):
        done = _vorflug(*arguments, LANGUAGE="de", LC_ALL="de_DE.UTF-8")
        assert done.returncode == Exit.USAGE, done
        assert [part for part in english if part in done.stderr] == [], done.stderr


def test_no_command_is_a_question_for_help():
    done = _vorflug()
    assert done.returncode == Exit.USAGE
    assert "Example: vorflug run" in done.stderr + done.stdout


def test_the_version_is_on_stdout_alone():
    from vorflug import __version__

    for arguments in (("--version",), ("version",)):
        done = _vorflug(*arguments)
        assert done.returncode == 0 and __version__ in done.stdout and done.stderr == ""


@pytest.mark.parametrize(
    "arguments", [("--lang", "de", "--help"), ("--help", "--lang=de"), ("run", "--help", "--lang", "de")]
)
def test_the_language_counts_wherever_it_stands(arguments):
    done = _vorflug(*arguments)
    assert done.returncode == 0 and "Beispiel:" in done.stdout


def test_completion_is_there():
    done = _vorflug(_VORFLUG_COMPLETE="bash_source")
    assert done.returncode == 0 and "complete" in done.stdout
    words = _vorflug(_VORFLUG_COMPLETE="bash_complete", COMP_WORDS="vorflug ver", COMP_CWORD="1")
    assert {line.partition(",")[2] for line in words.stdout.split()} == {"verify", "version"}


def test_exit_codes_are_the_contract():
    assert {e.name: e.value for e in Exit} == {
        "READY": 0,
        "INTERNAL": 1,
        "USAGE": 2,
        "NOT_READY": 3,
        "SHOULD_UNMET": 4,
        "UNDETERMINED": 5,
        "REFUSED": 6,
        "INTERRUPTED": 130,
    }
