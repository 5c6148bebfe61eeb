import json

import numpy as np
import pytest

from make_us_rich.errors import ArtifactError
from make_us_rich.forecasting.price.artifact import PRICE_ARTIFACT, golden_payload
from make_us_rich.registry.artifact import ArtifactDraft, load_artifact, write_artifact
from make_us_rich.testing.artifacts import ToyPriceModel, toy_draft


@pytest.fixture
def folder(tmp_path):
    write_artifact(tmp_path / "1", toy_draft(), version=1)
    return tmp_path / "1"


def refusal(folder, market="replay"):
    with pytest.raises(ArtifactError) as caught:
        load_artifact(folder, market, PRICE_ARTIFACT)
    text = str(caught.value)
    assert str(folder) in text
    assert ";" in text, "the way out follows the finding"
    assert "\n" not in text
    return text


def rewrite_manifest(folder, **changes):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_artifact_that_was_written_is_loaded_and_runs(folder):
    artifact = load_artifact(folder, "replay", PRICE_ARTIFACT)
    assert artifact.manifest.version == 1
    candles = np.full((1, 48, 5), 200.0)
    prices = artifact.model.forecaster.quantiles(np.zeros((1, 48), dtype=np.int64), candles)
    np.testing.assert_allclose(prices[0], 200.0 * ToyPriceModel().factors)


def test_writing_leaves_nothing_but_the_artifact(folder):
    assert [path.name for path in folder.parent.iterdir()] == ["1"]
    assert sorted(path.name for path in folder.iterdir()) == ["golden.npz", "manifest.json", "model.onnx"]


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("make_us_rich.registry.artifact.write_atomically", full)
    with pytest.raises(OSError, match="No space left"):
        write_artifact(tmp_path / "1", toy_draft(), version=1)
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_of_another_market_is_refused(folder):
    assert "made for the replay market, this is live" in refusal(folder, market="live")


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_changed_file_is_refused(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name} is not the file that was shelved" in refusal(folder)


@pytest.mark.parametrize("name", ["model.onnx", "golden.npz"])
def test_a_missing_file_is_refused(folder, name):
    (folder / name).unlink()
    assert f"{name} missing" in refusal(folder)


def test_a_half_written_artifact_is_refused(folder):
    (folder / "manifest.json").unlink()
    assert "not a whole artifact" in refusal(folder)


def test_a_file_the_manifest_does_not_list_is_refused(folder):
    (folder / "extra.py").write_text("print('hello')")
    assert "extra.py not listed" in refusal(folder)


def test_a_model_the_manifest_does_not_vouch_for_is_refused(folder):
    listed = json.loads((folder / "manifest.json").read_text())["files"]
    rewrite_manifest(folder, files={"golden.npz": listed["golden.npz"]})
    assert "model.onnx not listed" in refusal(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "null"])
def test_a_manifest_that_is_no_manifest_is_refused(folder, content):
    (folder / "manifest.json").write_text(content)
    refusal(folder)


def test_a_manifest_of_a_newer_format_names_both_formats(folder):
    rewrite_manifest(folder, format=2)
    assert "manifest format 2, this version reads 1; update" in refusal(folder)


def test_an_invalid_field_is_named(folder):
    rewrite_manifest(folder, horizons="soon")
    assert "horizons" in refusal(folder)


def test_golden_outputs_that_are_not_reproduced_are_refused(tmp_path):
    other = toy_draft(model=ToyPriceModel(spread=0.02)).payloads["golden.npz"]
    draft = toy_draft()
    write_artifact(
        tmp_path / "1", ArtifactDraft(draft.manifest, {**draft.payloads, "golden.npz": other}), version=1
    )
    assert "golden outputs differ by" in refusal(tmp_path / "1")


@pytest.mark.parametrize("relative", [0.9e-6, 1.1e-6])
def test_golden_outputs_may_differ_by_a_millionth(tmp_path, relative):
    draft = toy_draft()
    closes = np.full((1, 48, 5), 100.0)
    golden = golden_payload(
        np.zeros((1, 48), dtype=np.int64), closes, 100.0 * ToyPriceModel().factors[None] * (1 + relative)
    )
    write_artifact(
        tmp_path / "1", ArtifactDraft(draft.manifest, {**draft.payloads, "golden.npz": golden}), version=1
    )
    if relative < 1e-6:
        load_artifact(tmp_path / "1", "replay", PRICE_ARTIFACT)
    else:
        refusal(tmp_path / "1")


def test_golden_outputs_of_another_shape_are_refused(tmp_path):
    draft = toy_draft(changes={"horizons": (1,), "served_by": {"1": "toy"}})
    write_artifact(tmp_path / "1", draft, version=1)
    assert "the manifest says (3, 1, 13)" in refusal(tmp_path / "1")


def test_pickled_golden_outputs_are_never_unpickled(tmp_path):
    golden = golden_payload(
        np.zeros((1, 48), dtype=np.int64), np.ones((1, 48, 5)), np.array([{"a": 1}], dtype=object)
    )
    draft = toy_draft()
    write_artifact(
        tmp_path / "1", ArtifactDraft(draft.manifest, {**draft.payloads, "golden.npz": golden}), version=1
    )
    assert "golden.npz is not readable" in refusal(tmp_path / "1")


def test_a_graph_that_onnx_runtime_cannot_read_is_refused(tmp_path):
    draft = toy_draft()
    write_artifact(
        tmp_path / "1",
        ArtifactDraft(draft.manifest, {**draft.payloads, "model.onnx": b"no graph"}),
        version=1,
    )
    with pytest.raises(ArtifactError, match="ONNX Runtime refuses the model"):
        load_artifact(tmp_path / "1", "replay", PRICE_ARTIFACT)


def test_a_graph_that_does_not_take_the_inputs_is_refused(tmp_path):
    draft = toy_draft()
    longer = ToyPriceModel(lookback=49).to_onnx()
    write_artifact(
        tmp_path / "1", ArtifactDraft(draft.manifest, {**draft.payloads, "model.onnx": longer}), version=1
    )
    assert "does not run on its golden inputs" in refusal(tmp_path / "1")


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden", "manifest.json", ""])
def test_a_draft_with_a_file_that_cannot_be_is_refused(name):
    draft = toy_draft()
    with pytest.raises(ValueError, match="cannot be a file"):
        ArtifactDraft(draft.manifest, {**draft.payloads, name: b""})


def test_a_draft_without_its_model_is_refused():
    draft = toy_draft()
    with pytest.raises(ValueError, match=r"lacks model\.onnx"):
        ArtifactDraft(draft.manifest, {"golden.npz": draft.payloads["golden.npz"]})
