"""What every contract is made of: a promise, and the sentence that is said where it is broken."""


def require(promise: bool, sentence: str) -> None:  # noqa: FBT001 -- it reads as an assertion
    """Raise an `AssertionError` with the sentence unless the promise is kept."""
    # not `assert`, which python -O removes
    if not promise:
        raise AssertionError(sentence)
