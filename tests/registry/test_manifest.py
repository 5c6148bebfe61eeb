import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from make_us_rich.evaluation.evidence import HorizonEvidence
from make_us_rich.forecasting.price.manifest import PriceManifest
from make_us_rich.registry.manifest import TensorSpec
from make_us_rich.testing.artifacts import toy_draft


def evidence(horizon, served_by="toy", **changes):
    values = {
        "horizon": horizon,
        "folds": 4,
        "blocks": 12,
        "n": 2016,
        "skill": {"persistence": 0.04},
        "skill_sd": 0.01,
        "p_value": {"persistence": 0.001},
        "coverage_90": 0.9,
        "coverage_se": 0.01,
        "served_by": served_by,
    }
    return HorizonEvidence(**(values | changes))


def manifest(**changes):
    return toy_draft(changes=changes).manifest


def test_a_manifest_that_was_written_is_read_back():
    written = manifest(evidence={"toy": (evidence(1),)}).shelved(3, {"model.onnx": "0" * 64})
    assert PriceManifest.model_validate_json(written.model_dump_json()) == written


def test_an_unknown_key_is_refused():
    with pytest.raises(ValidationError, match="surprise"):
        manifest(surprise=1)


def test_a_manifest_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        manifest().seed = 1


def test_times_are_kept_in_utc():
    paris = timezone(timedelta(hours=2))
    assert manifest(trained_at=datetime(2024, 3, 1, 2, tzinfo=paris)).trained_at.tzinfo is UTC


def test_a_naive_time_is_refused():
    with pytest.raises(ValidationError, match="timezone"):
        manifest(trained_at=datetime(2024, 3, 1, 2))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"name": "price.ETH-USDT.1h"}, "is not that of"),
        ({"served_by": {"1": "toy"}}, "served_by"),
        ({"lookback": 47}, "shorter than the window"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(changes, finding):
    with pytest.raises(ValidationError, match=finding):
        manifest(**changes)


def test_a_statistic_that_could_not_be_computed_is_null_in_json_and_undefined_again():
    record = evidence(1, p_value={"persistence": math.nan}, skill_sd=math.inf)
    written = manifest(evidence={"toy": (record,)})
    (told,) = json.loads(written.model_dump_json())["evidence"]["toy"]
    assert (told["p_value"], told["skill_sd"]) == ({"persistence": None}, None)
    assert written.model_dump(mode="json")["evidence"]["toy"] == [told]
    (read,) = PriceManifest.model_validate_json(written.model_dump_json()).evidence["toy"]
    assert math.isnan(read.p_value["persistence"])
    assert math.isnan(read.skill_sd)
    assert dict(written.metrics()) == dict(written.metrics("toy"))
    assert "skill_sd_h1" not in dict(written.metrics())


def test_the_evidence_of_a_horizon_is_that_of_the_forecaster_that_serves_it():
    draft: PriceManifest = manifest(
        served_by={"1": "toy", "2": "persistence", "4": "toy", "8": "toy", "12": "toy", "24": "toy"},
        evidence={"toy": (evidence(1), evidence(2)), "persistence": (evidence(2, served_by="persistence"),)},
    )
    assert draft.evidence_at(1) == evidence(1)
    assert draft.evidence_at(2) == evidence(2, served_by="persistence")
    assert draft.evidence_at(4) is None


def test_a_manifest_from_before_there_were_optional_inputs_is_read_as_it_was():
    written = manifest().shelved(1, {}).model_dump(mode="json")
    del written["market_symbols"]
    for tensor in (*written["inputs"], *written["outputs"]):
        del tensor["columns"]
    read = PriceManifest.model_validate(written)
    assert (read.activity_columns, read.market_symbols) == ((), ())


@pytest.mark.parametrize(
    ("columns", "market", "finding"),
    [
        (("funding",), (), "activity names funding, which this version does not know"),
        (("market_variance",), (), "market_variance and market_symbols go together"),
        (("trades",), ("ETH/USDT",), "market_variance and market_symbols go together"),
    ],
)
def test_an_activity_that_cannot_be_computed_is_refused(columns, market, finding):
    activity = TensorSpec(name="activity", dtype="float64", shape=("batch", 48, 1), columns=columns)
    with pytest.raises(ValidationError, match=finding):
        manifest(inputs=(*manifest().inputs, activity), market_symbols=market)
