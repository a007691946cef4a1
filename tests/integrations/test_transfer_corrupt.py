"""One bit flipped on the way is always noticed; the thousand of it is `python -m bench.corrupt`."""

from bench import corrupt


def test_one_flipped_bit_is_noticed_wherever_it_is() -> None:
    outcomes = corrupt.run(60, seed=7)
    assert [outcome for outcome in outcomes if not outcome.detected] == []
    assert {outcome.path for outcome in outcomes} == set(corrupt.SIZES)
