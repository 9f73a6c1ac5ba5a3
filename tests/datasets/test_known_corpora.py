"""Every folder of datasets/ that is a corpus: what it holds, and where it is named."""

import pytest
from conftest import REPOSITORY

from rnnlm.text.corpora import SPLITS, known_corpora, resolve

DATASETS = REPOSITORY / "datasets"
FOLDERS = sorted(path.name for path in DATASETS.iterdir() if path.is_dir() and not path.name.startswith("_"))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_of_datasets_is_a_corpus_known_by_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert name in known_corpora(), f"datasets/{name} has no corpus.json"
    folder, about, _ = resolve(name)
    assert about.get("name") == name, f"the name in datasets/{name}/corpus.json must be that of the folder"
    assert about.get("licence") or "files" in about, f"datasets/{name}/corpus.json must name the text's licence"
    for split in SPLITS:
        fetched = "files" in about and any(f"{split}." in entry["name"] for entry in about["files"])
        assert fetched or (folder / f"{split}.txt").is_file(), f"datasets/{name} has no {split}.txt, nor an address"


@pytest.mark.parametrize("name", FOLDERS)
def test_a_corpus_has_a_page_and_a_row(name):
    assert (DATASETS / name / "README.md").is_file(), f"datasets/{name} has no README.md"
    rows = (DATASETS / "README.md").read_text(encoding="utf-8")
    assert f"| `{name}` |" in rows, f"datasets/README.md has no row for {name}"
