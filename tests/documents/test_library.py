"""Names, versions, files and folders -> one profile, or a sentence about what there is."""

from __future__ import annotations

import pytest

from documents.samples import HEAD, row
from vorflug.documents import library
from vorflug.documents.problems import DocumentError


@pytest.fixture
def folder(tmp_path):
    for name, version in (("sample", "1.2.0"), ("sample", "1.10.0"), ("sample", "1.9.0"), ("other", "0.1.0")):
        place = tmp_path / "shipped" / name / version
        place.mkdir(parents=True)
        head = HEAD.replace("name: sample", f"name: {name}").replace("version: 1.2.0", f"version: {version}")
        (place / "profile.yaml").write_text(head + row())
    (tmp_path / "shipped" / "sample" / "draft").mkdir()
    return tmp_path / "shipped"


def test_versions_are_sorted_as_numbers(folder):
    assert [(s.name, s.version) for s in library.shipped(folder)] == [
        ("other", "0.1.0"), ("sample", "1.10.0"), ("sample", "1.9.0"), ("sample", "1.2.0")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ref", "version"), [("sample", "1.10.0"), ("sample@1.2.0", "1.2.0"), ("other", "0.1.0"), (None, "1.10.0")]
)
def test_by_name_and_version(folder, ref, version):
    assert library.load(ref, folder).version == version


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("sample@1.3.0", r"there is no version 1.3.0 of sample. There are: 1.10.0, 1.9.0 and 1.2.0."),
        ("smaple", r"there is no profile smaple; did you mean sample\?"),
        ("zzz", r"there is no profile zzz. There are: other and sample; or name a file."),
        ("zzz@1.0.0", r"there is no profile zzz@1.0.0"),
        ("./zzz", r"zzz: there is no such file"),
        ("zzz.yaml", r"zzz.yaml: there is no such file"),
        ("\0/", r"cannot be read"),
        ("", r"there is no profile"),
    ],
)
def test_what_is_not_there(folder, ref, says, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DocumentError, match=says):
        library.load(ref, folder)


def test_a_file_or_folder_of_ones_own(folder, monkeypatch):
    own = folder / "sample" / "1.2.0"
    assert library.load(str(own / "profile.yaml"), folder).version == "1.2.0"
    assert library.load(str(own), folder).version == "1.2.0"
    monkeypatch.chdir(own)
    assert library.load("profile.yaml", folder).version == "1.2.0"


def test_a_file_does_not_hide_a_shipped_name(folder, monkeypatch, tmp_path):
    (tmp_path / "sample").write_text("word")
    monkeypatch.chdir(tmp_path)
    assert library.load("sample", folder).version == "1.10.0"
    with pytest.raises(DocumentError, match="sample:1:1"):
        library.load("./sample", folder)


def test_a_profile_in_the_wrong_folder(folder):
    path = folder / "other" / "0.1.0" / "profile.yaml"
    path.write_text(path.read_text().replace("name: other", "name: another"))
    with pytest.raises(DocumentError, match=r"lies in the folder of other 0.1.0, but says that it is another 0.1.0"):
        library.load("other", folder)


def test_without_any(tmp_path):
    with pytest.raises(DocumentError, match="no profile came with this program"):
        library.load(None, tmp_path)
    assert library.shipped(tmp_path / "nowhere") == []
