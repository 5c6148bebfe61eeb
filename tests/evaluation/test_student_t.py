import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_us_rich.evaluation.student_t import t_quantile, t_survival

# from printed tables: one-sided 5 % and 2.5 % points
TABLE = [(1, 6.314, 12.706), (2, 2.920, 4.303), (7, 1.895, 2.365), (30, 1.697, 2.042), (120, 1.658, 1.980)]


@pytest.mark.parametrize(("degrees", "five", "two_and_a_half"), TABLE)
def test_distribution_agrees_with_printed_tables(degrees: int, five: float, two_and_a_half: float) -> None:
    assert t_survival(five, degrees) == pytest.approx(0.05, abs=6e-5)
    assert t_quantile(0.975, degrees) == pytest.approx(two_and_a_half, abs=6e-4)


def test_with_one_degree_it_is_the_cauchy_distribution() -> None:
    assert t_survival(1.0, 1) == pytest.approx(0.25, abs=1e-12)


@given(st.floats(-50, 50), st.integers(1, 200))
def test_both_tails_sum_to_one(t: float, degrees: int) -> None:
    assert t_survival(t, degrees) + t_survival(-t, degrees) == pytest.approx(1.0)


@given(st.floats(0.01, 0.99), st.integers(1, 60))
def test_quantile_undoes_the_survival_function(level: float, degrees: int) -> None:
    assert 1 - t_survival(t_quantile(level, degrees), degrees) == pytest.approx(level, abs=1e-9)


def test_degrees_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        t_survival(1.0, 0)
