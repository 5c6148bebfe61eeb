"""Parts by name: ours, and those of installed packages."""

import subprocess
import sys

import pytest

from make_us_rich.errors import UnknownNameError, UsageError
from make_us_rich.registries import Registry

GROUP = "make_us_rich.features"


def test_a_part_is_given_as_it_is_or_as_text() -> None:
    registry = Registry("make_us_rich.numbers", {"one": 1, "tau": "math:tau"})
    assert (registry.names(), list(registry)) == (("one", "tau"), ["one", "tau"])
    assert registry.resolve("one") == 1
    assert registry.resolve("tau") == pytest.approx(6.2831853)


def test_an_unknown_name_is_answered_with_the_one_that_was_meant() -> None:
    registry = Registry("make_us_rich.numbers", {"one": 1, "three": 3})
    with pytest.raises(UnknownNameError, match=r"'thre' is not known; did you mean three\? there are one"):
        registry.resolve("thre")
    with pytest.raises(UnknownNameError, match="number 'zzz' is not known; there are one, three"):
        registry.resolve("zzz")


def test_a_package_brings_a_part_by_an_entry_point(install_package) -> None:
    install_package("brings_seven", {GROUP: {"seven": "brings_seven:SEVEN"}}, "SEVEN = 7\n")
    registry = Registry(GROUP, {"one": 1})
    assert registry.names() == ("one", "seven")
    assert "brings_seven" not in sys.modules, "names alone import nothing"
    assert registry.resolve("seven") == 7


def test_a_name_of_ours_stays_ours_and_that_is_said_once(install_package) -> None:
    install_package("takes_one", {GROUP: {"one": "takes_one:ONE"}}, "ONE = 111\n")
    registry = Registry(GROUP, {"one": 1})
    with pytest.warns(UserWarning, match="takes_one:ONE offers 'one' in make_us_rich.features"):
        assert registry.resolve("one") == 1
    assert registry.resolve("one") == 1  # a warning is an error in these tests
    assert registry.names() == ("one",)


def test_a_package_that_is_broken_is_named(install_package) -> None:
    install_package("broken_part", {GROUP: {"gone": "broken_part:GONE"}}, "")
    with pytest.raises(UsageError, match=r"feature gone of broken-part cannot be loaded .*; update or"):
        Registry(GROUP, {}).resolve("gone")


def test_names_of_models_and_features_load_no_torch() -> None:
    program = (
        "import sys, make_us_rich.testing; from make_us_rich.features.feature_set import FEATURES;"
        "from make_us_rich.training.price.price_models import PRICE_MODELS;"
        "[registry.resolve(name) for registry in (FEATURES, PRICE_MODELS) for name in registry];"
        "print('torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False"]
