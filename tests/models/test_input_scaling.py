import numpy as np
import torch

from make_us_rich.models.input_scaling import InputScaling

NAN = float("nan")


def scaled(training: list[list[float]], row: list[float]) -> list[float]:
    return InputScaling(np.array(training))(torch.tensor(row, dtype=torch.float64)).tolist()


def test_a_column_is_counted_in_deviations_from_its_mean() -> None:
    assert scaled([[1.0], [3.0]], [4.0]) == [2.0]


def test_what_is_missing_is_the_mean_and_does_not_count_for_it() -> None:
    assert scaled([[1.0], [NAN], [3.0]], [NAN]) == [0.0]
    assert scaled([[1.0], [NAN], [3.0]], [3.0]) == [1.0]


def test_what_never_changed_or_was_never_told_says_nothing_later() -> None:
    assert scaled([[5.0, NAN], [5.0, NAN]], [9.0, 9.0]) == [0.0, 0.0]


def test_one_odd_value_counts_ten_deviations_at_most() -> None:
    assert scaled([[-1.0], [1.0]], [1e9]) == [10.0]
    assert scaled([[-1.0], [1.0]], [-1e9]) == [-10.0]


def test_its_numbers_are_constants_of_the_graph() -> None:
    assert set(InputScaling(np.ones((3, 2))).state_dict()) == {"mean", "factor"}
