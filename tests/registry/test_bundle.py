import json

import pytest

from make_us_rich.errors import StoreError, UsageError
from make_us_rich.registry.bundle import BundleTexts, export_bundle
from make_us_rich.testing.artifacts import toy_draft

NAME = "price.BTC-USDT.1h"
TEXTS = BundleTexts("what to know\n", "print('run it')\n")
FILES = {"model.onnx", "golden.npz", "manifest.json", "README.md", "predict.py"}


@pytest.fixture
def artifact(shelf):
    return shelf.load(NAME, shelf.shelve(toy_draft()))


def test_the_bundle_holds_the_shelved_model_and_manifest_unchanged(artifact, tmp_path):
    folder = tmp_path / "new" / "bundle"
    files = export_bundle(artifact, TEXTS, folder)
    assert {path.name for path in files} == {path.name for path in folder.iterdir()} == FILES
    for name in ("model.onnx", "golden.npz", "manifest.json"):
        assert (folder / name).read_bytes() == (artifact.folder / name).read_bytes()
    assert json.loads((folder / "manifest.json").read_text())["name"] == NAME


def test_the_texts_of_the_kind_stand_beside_the_model(artifact, tmp_path):
    export_bundle(artifact, TEXTS, tmp_path / "bundle")
    assert (tmp_path / "bundle" / "README.md").read_text() == TEXTS.readme
    assert (tmp_path / "bundle" / "predict.py").read_text() == TEXTS.example


def test_a_folder_that_holds_something_is_left_alone(artifact, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not empty; name a folder"):
        export_bundle(artifact, TEXTS, tmp_path)
    assert not (tmp_path / "model.onnx").exists()


def test_a_file_is_no_folder(artifact, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="not a folder"):
        export_bundle(artifact, TEXTS, tmp_path / "file")


def test_a_folder_under_a_file_is_named(artifact, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="file"):
        export_bundle(artifact, TEXTS, tmp_path / "file" / "bundle")
