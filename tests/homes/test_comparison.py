from homes.comparison import differences, kept


def test_what_is_new_is_allowed_and_what_is_gone_is_named():
    assert differences("q", [{"body": {"a": 1}}], [{"body": {"a": 1, "b": 2}}]) == []
    (line,) = differences("q", [{"body": {"a": 1, "b": 2}}], [{"body": {"a": 1}}])
    assert line == ".0.body.b: recorded 2, is not there any more"


def test_a_list_keeps_its_length():
    assert differences("q", [[1, 2]], [[1, 2, 3]]) == [".0: recorded 2 entries, found 3"]


def test_numbers_agree_to_the_twelfth_digit_or_where_a_model_computes_to_the_ninth():
    assert differences("q", 1.5, 1.5 + 1e-13) == []
    assert differences("q", 1.5, 1.5 + 1e-10) != []
    assert differences("mur forecast BTC/USDT", 1.5, 1.5 + 1e-10) == []
    assert differences("mur forecast BTC/USDT", 1.5, 1.5 + 1e-7) != []


def test_a_flag_is_no_number_and_nothing_is_no_text():
    assert differences("q", {"a": True}, {"a": 1}) != []
    assert differences("q", {"a": None}, {"a": ""}) != []


def test_volatile_values_keep_their_kind_and_folders_their_name():
    answers = [{"body": {"seconds": 0.2, "folder": "/somewhere/home/x"}}]
    assert kept("q", answers, {"/somewhere/home": "<home>"}) == [
        {"body": {"seconds": "<number>", "folder": "<home>/x"}}
    ]
