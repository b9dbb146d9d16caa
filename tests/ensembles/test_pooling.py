"""Pools do the arithmetic that they are said to."""

import numpy as np
import pytest

from ageensemble import ages
from ageensemble._utils.io import read_json, write_json
from ageensemble.ensembles.pooling import Pool
from ageensemble.errors import DataError
from ageensemble.evaluation.calibration import LEAST, log_proba


def rows(*probabilities, first=0):
    """Age distributions that begin at year `first`, zero elsewhere."""
    result = np.zeros((len(probabilities), ages.N_AGES), np.float32)
    result[:, first : first + len(probabilities[0])] = probabilities
    return result


ONE, OTHER = rows([0.5, 0.25, 0.25]), rows([0.125, 0.5, 0.375])


def pooled(kind, weights, temperatures=(1, 1), members=(ONE, OTHER), **more):
    pool = Pool(kind, np.array(weights, float), np.array(temperatures, float), **more)
    return pool(members)[0, :3]


def test_a_linear_pool_is_the_weighted_mean():
    assert pooled("linear", [0.5, 0.5]) == pytest.approx([0.3125, 0.375, 0.3125], abs=1e-6)
    assert pooled("linear", [0.2, 0.8]) == pytest.approx([0.2, 0.45, 0.35], abs=1e-6)


def test_a_log_pool_is_the_weighted_product():
    product = np.array([0.5 * 0.125, 0.25 * 0.5, 0.25 * 0.375])
    assert pooled("log", [1, 1]) == pytest.approx(product / product.sum(), abs=1e-6)
    root = np.sqrt(product)
    assert pooled("log", [0.5, 0.5]) == pytest.approx(root / root.sum(), abs=1e-6)


def test_a_temperature_is_a_power():
    square = np.array([0.25, 0.0625, 0.0625])
    assert pooled("log", [1, 0], [0.5, 1]) == pytest.approx(square / square.sum(), abs=1e-6)
    mean = (square / square.sum() + [0.125, 0.5, 0.375]) / 2
    assert pooled("linear", [0.5, 0.5], [0.5, 1]) == pytest.approx(mean, abs=1e-6)


def test_a_bias_multiplies_its_stratum():
    biases = np.zeros(14)
    biases[1] = np.log(3)  # 3-5 years
    even = rows([0.5, 0.5], first=2)
    pool = Pool("log", np.ones(1), np.ones(1), biases)
    assert pool([even])[0, 2:4] == pytest.approx([0.25, 0.75], abs=1e-6)


def test_a_member_without_weight_is_not_even_read():
    assert pooled("log", [1, 0], members=(ONE, None)) == pytest.approx([0.5, 0.25, 0.25], abs=1e-6)


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_blocks_rows_and_logarithms_give_the_same(kind, tmp_path):
    rng = np.random.default_rng(0)
    members = [rng.dirichlet(np.ones(121), 700).astype(np.float32) for _ in range(3)]
    np.save(tmp_path / "member.npy", members[0])
    pool = Pool(kind, np.array([0.2, 0.3, 0.5]), np.array([0.7, 1.0, 2.0]))
    whole = pool([np.load(tmp_path / "member.npy", mmap_mode="r"), *members[1:]])
    assert whole.dtype == np.float32
    assert whole.sum(1) == pytest.approx(1, abs=1e-6)
    some = np.array([699, 3, 3])
    assert np.array_equal(pool(members, some), whole[some])
    assert np.array_equal(pool.of_logs(np.stack([log_proba(member) for member in members])), whole)


def test_a_zero_does_not_overrule_and_a_row_of_zeros_says_nothing():
    never = rows([0.0, 0.5, 0.5])
    sure = rows([1.0, 0.0, 0.0])
    assert np.all(Pool("log", np.array([0.9, 0.1]), np.ones(2))([sure, never])[0, :3] > 0)
    nothing = np.zeros((1, ages.N_AGES), np.float32)
    assert pooled("log", [1, 1], members=(ONE, nothing)) == pytest.approx([0.5, 0.25, 0.25], abs=1e-6)
    assert np.exp(log_proba(nothing)) == pytest.approx(LEAST)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_refused(bad):
    broken = ONE.copy()
    broken[0, 7] = bad
    with pytest.raises(DataError, match="not finite"):
        pooled("log", [1, 1], members=(ONE, broken))


def test_a_pool_survives_being_written(tmp_path):
    pool = Pool("log", np.array([0.1, 0.9]), np.array([1.1, 0.7]), np.linspace(-1, 1, 14), 24.0)
    write_json(tmp_path / "pool.json", pool.to_json())
    again = Pool.from_json(read_json(tmp_path / "pool.json"))
    assert np.array_equal(again([ONE, OTHER]), pool([ONE, OTHER]))
    assert again.shrinkage == 24.0
    assert Pool.from_json(Pool("linear", np.ones(1), np.ones(1)).to_json()).biases is None
