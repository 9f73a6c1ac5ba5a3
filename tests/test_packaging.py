"""A wheel brings the package and the shipped corpora, and nothing else.

They are found wherever pip puts them.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from conftest import REPOSITORY

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="paths of POSIX systems")]

NEEDED = 77  # the version of setuptools that pyproject.toml asks for
KNOWN = {path.parent.name: path for path in (REPOSITORY / "datasets").glob("*/corpus.json")}
FETCHED = {name for name, about in KNOWN.items() if "files" in json.loads(about.read_text(encoding="utf-8"))}
CORPORA = {f"datasets/{name}/corpus.json" for name in KNOWN} | {
    f"datasets/{name}/{split}.txt" for name in KNOWN.keys() - FETCHED for split in ("train", "valid", "test")} | {
    "datasets/stories/test.truth.tsv"}
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
QUICK = ["--hidden-size", "2", "--epochs", "1", "--max-tokens", "2000", "--threads", "1"]


def call(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def backend(tmp_path_factory):
    """The environment in which the build back end runs."""
    try:
        if int(version("setuptools").split(".")[0]) >= NEEDED:
            return dict(os.environ)
    except PackageNotFoundError:
        pass
    folder = tmp_path_factory.mktemp("backend")
    done = subprocess.run([*PIP, "install", "--target", folder, f"setuptools>={NEEDED}"], capture_output=True)
    if done.returncode:
        pytest.skip(f"no setuptools {NEEDED} here, nor a way to get it")
    return os.environ | {"PYTHONPATH": str(folder)}


def build(what, source, folder, environment):
    """Build a "sdist", "wheel" or "editable" of a source tree; returns its path."""
    folder.mkdir(exist_ok=True)
    code = f"import sys, setuptools.build_meta as backend; print(backend.build_{what}(sys.argv[1]))"
    return folder / call(sys.executable, "-c", code, folder, cwd=source, env=environment).splitlines()[-1]


@pytest.fixture(scope="module")
def built(tmp_path_factory, backend):
    """Paths: the sdist, wheels of the checkout ("wheel") and of it, the editable."""
    place = tmp_path_factory.mktemp("built")
    source = place / "source"
    source.mkdir()
    for name in ("README.md", "LICENSE", "MANIFEST.in", "pyproject.toml", "setup.cfg", "setup.py"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("rnnlm", "datasets", "scripts", "tests"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    (source / "datasets/ptb/ptb.train.txt").write_text("somebody put it there\n")
    paths = {what: build(what, source, place / what, backend) for what in ("sdist", "wheel", "editable")}
    with tarfile.open(paths["sdist"]) as archive:
        archive.extractall(place / "unpacked", filter="data")
    (unpacked,) = (place / "unpacked").iterdir()
    paths["from sdist"] = build("wheel", unpacked, place / "second", backend)
    return paths


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("kind", ["wheel", "from sdist"])
def test_a_wheel_holds_the_package_with_the_corpora_and_nothing_else(kind, built):
    held = names(built[kind])
    package = {name for name in held if not name.split("/")[0].endswith(".dist-info")}
    sources = {str(path.relative_to(REPOSITORY)) for ending in ("*.py", "*.toml", "*.css", "*.js", "*.cu", "py.typed")
               for path in (REPOSITORY / "rnnlm").rglob(ending)}
    assert package == sources | {f"rnnlm/{name}" for name in CORPORA}


def test_the_distribution_has_a_name_of_its_own(built):
    """The package index has another project called rnnlm."""
    assert {built[what].name.split("-")[0] for what in ("sdist", "wheel", "from sdist")} == {"numpy_rnnlm"}
    with zipfile.ZipFile(built["wheel"]) as archive:
        (about,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert "\nName: numpy-rnnlm\n" in archive.read(about).decode()


def test_an_sdist_holds_the_corpora_at_the_top_and_no_tests(built):
    with tarfile.open(built["sdist"]) as archive:
        held = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert held >= CORPORA | {"setup.py", "setup.cfg", "pyproject.toml", "rnnlm/text/corpora.py"}
    assert not [name for name in held if name.startswith(("tests", "rnnlm/datasets")) or "ptb.train" in name]


def environment(place):
    """A fresh Python with the user's site and, after its own, this one's packages."""
    venv.create(place / "venv", system_site_packages=True, symlinks=True)
    (own,) = (place / "venv").glob("lib/python*/site-packages")
    (own / "others.pth").write_text("".join(f"{path}\n" for path in sys.path if path.endswith("site-packages")))
    return place / "venv/bin/python"


def installed(wheel, scheme, place):
    """Install a wheel; returns the Python that has it, and its environment."""
    python, others = environment(place), os.environ | {"PYTHONUSERBASE": str(place / "user")}
    others.pop("PYTHONPATH", None)
    others.pop("PYTHONNOUSERSITE", None)
    where = {"default": [], "user": ["--user"], "target": ["--target", place / "target"],
             "prefix": ["--prefix", place / "prefix"]}[scheme]
    call(*PIP, "--python", python, "install", "--no-deps", "--no-index", "--no-warn-script-location", *where, wheel,
         env=others)
    if scheme in ("target", "prefix"):
        (folder,) = [place / "target"] if scheme == "target" else (place / "prefix").glob("lib/python*/site-packages")
        others["PYTHONPATH"] = str(folder)
    return python, others


@pytest.fixture
def elsewhere(tmp_path):
    """A folder to work in, with a folder called like the package in it.

    A checkout's parent has one, too.
    """
    (tmp_path / "here/rnnlm").mkdir(parents=True)
    return tmp_path / "here"


@pytest.mark.parametrize("scheme", ["default", "user", "target", "prefix"])
def test_the_default_command_knows_its_corpus_after_an_installation(scheme, built, tmp_path, elsewhere):
    python, others = installed(built["wheel"], scheme, tmp_path)
    where = Path(call(python, "-c", "import rnnlm; print(rnnlm.__file__)", cwd=elsewhere, env=others).strip())
    assert where.is_relative_to(tmp_path)
    out = call(python, "-m", "rnnlm", "train", *QUICK, cwd=elsewhere, env=others)
    assert "corpus stories: 2,000 tokens to train, 10,125 to validate" in out
    shutil.rmtree(where.parent / "datasets")  # the negative control: there is no other place
    done = subprocess.run([python, "-m", "rnnlm", "train", *QUICK], cwd=elsewhere, env=others, capture_output=True)
    assert b"no corpus 'stories'" in done.stderr


@pytest.mark.parametrize("scheme", ["default", "user", "target", "prefix"])
def test_an_editable_installation_knows_its_corpora(scheme, built, tmp_path, elsewhere):
    python, others = installed(built["editable"], scheme, tmp_path)
    code = ("import os, site; [site.addsitedir(path) for path in os.environ.get('PYTHONPATH', '').split(':') if path]; "
            "import rnnlm; from rnnlm.text.corpora import known_corpora; "
            "print(rnnlm.__file__, sorted(known_corpora())); "
            "assert rnnlm.load_corpus('stories').train.size == 100170")
    out = call(python, "-c", code, cwd=elsewhere, env=others)
    assert out == f"{built['wheel'].parent.parent / 'source/rnnlm/__init__.py'} {sorted(KNOWN)}\n"
