"""The grammar of header fields: round trips, what Werkzeug documents, and input made to be slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.syntax import (
    MAX_ENTRIES,
    dump_header,
    dump_options_header,
    is_token,
    parse_dict_header,
    parse_list_header,
    parse_options_header,
    plain_int,
    quote_header_value,
    split_list_header,
    unquote_header_value,
    validate_header,
)

# What may stand in a header: no control characters, and nothing beyond latin-1.
text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
token = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1)
plain_name = st.text("!#$&+-.^_`|~09az", min_size=1)

LARGE = 1 << 18


@given(text)
def test_quoting_is_undone_by_unquoting(value: str) -> None:
    assert unquote_header_value(quote_header_value(value)) == value
    assert unquote_header_value(quote_header_value(value, allow_token=False)) == value


@pytest.mark.parametrize(
    ("value", "quoted"),
    [("abc", "abc"), ("", '""'), ("a b", '"a b"'), ('a"\\', '"a\\"\\\\"'), (5, "5"), ("é", '"é"')],
)
def test_only_what_is_no_token_is_quoted(value: object, quoted: str) -> None:
    assert quote_header_value(value) == quoted


@pytest.mark.parametrize("value", ["", '"', "a", 'a"', '"a', "a b"])
def test_a_value_without_both_quotes_is_left_alone(value: str) -> None:
    assert unquote_header_value(value) == value


def test_any_escaped_character_loses_its_backslash() -> None:
    assert unquote_header_value(r'"\a\"\\"') == 'a"\\'


@given(st.lists(text, max_size=20))
def test_a_list_survives_writing_and_reading(items: list[str]) -> None:
    assert parse_list_header(dump_header(items)) == items


@given(st.dictionaries(plain_name, st.none() | text, max_size=20))
def test_a_dict_survives_writing_and_reading(items: dict[str, str | None]) -> None:
    # An asterisk at the end would announce an encoding; a quote at the start is the list's.
    assert parse_dict_header(dump_header(items)) == {
        key: None if value is None else value for key, value in items.items()
    }


@given(token, st.dictionaries(plain_name, text.filter(lambda s: "%22" not in s), max_size=20))
def test_options_survive_writing_and_reading(value: str, options: dict[str, str]) -> None:
    assert parse_options_header(dump_options_header(value, options)) == (value, options)


@given(st.text())
def test_no_parser_raises_whatever_it_reads(value: str) -> None:
    assert len(parse_list_header(value)) <= MAX_ENTRIES
    assert len(parse_dict_header(value)) <= MAX_ENTRIES
    assert len(parse_options_header(value)[1]) <= MAX_ENTRIES


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("a", ["a"]),
        (" a ,\tb ", ["a", "b"]),
        ('token, "quoted value"', ["token", "quoted value"]),
        ('"a,b" , c', ["a,b", "c"]),
        (",,a,,", ["a"]),
        ('"a\\"b"', ['a"b']),
        ('x"a,b"y', ['x"a,b"y']),
        ('a, "b', []),
        ('"\\"', []),
        ("", []),
    ],
)
def test_list_items_as_werkzeug_reads_them(value: str, items: list[str]) -> None:
    assert parse_list_header(value) == items


def test_raw_items_keep_their_quotes() -> None:
    assert split_list_header('a;q="1,2", "b"') == ['a;q="1,2"', '"b"']


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ('a=b, c="d, e", f', {"a": "b", "c": "d, e", "f": None}),
        ("a = b", {"a": "b"}),
        ("=b, a=", {"a": ""}),
        ("a=1, a=2", {"a": "2"}),
        ("a*=UTF-8''%C3%A4", {"a": "ä"}),
        ("a*=iso-8859-1'de'%E4", {"a": "ä"}),
        ("a*=koi8-r''%C4", {"a": "%C4"}),
        ("a*=plain", {"a": "plain"}),
        ("a*=\"x'y'z\"", {"a": "x'y'z"}),
    ],
)
def test_dict_items_as_werkzeug_reads_them(value: str, result: dict[str, str | None]) -> None:
    assert parse_dict_header(value) == result


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, ("", {})),
        ("", ("", {})),
        (";a=b", ("", {})),
        ("text/html; charset=UTF-8", ("text/html", {"charset": "UTF-8"})),
        ("text/html;charset=utf-8", ("text/html", {"charset": "utf-8"})),
        (" text/html ; Level=1", ("text/html", {"level": "1"})),
        ('v; a="b;c"; d=e', ("v", {"a": "b;c", "d": "e"})),
        ('v; a="b\\"c"', ("v", {"a": 'b"c'})),
        ('v; a="b%22c"', ("v", {"a": 'b"c'})),
        ("v; a; b=1", ("v", {"b": "1"})),
        ("v; a =1; b=2", ("v", {"b": "2"})),
        ('v; a="b; c=1', ("v", {})),
        ('v; "a"=1; b=2', ("v", {"b": "2"})),
        ("v; a=1; a=2", ("v", {"a": "2"})),
        ("v; filename*=UTF-8''%e2%98%83", ("v", {"filename": "☃"})),
        ("v; filename*=UTF-8'en'%e2%98%83", ("v", {"filename": "☃"})),
        ("v; filename*=latin-9''%e4", ("v", {"filename": "%e4"})),
        ("v; a*0=b; a*1=c; a*2=d", ("v", {"a": "bcd"})),
        ("v; a*0*=UTF-8''%C3%A4; a*1*=%C3%B6; a*2=x", ("v", {"a": "äöx"})),
        ("v; a=1; a*0=2", ("v", {"a": "2"})),
        ("v; a*0=2; a=1", ("v", {"a": "1"})),
        ("v; a*0*=UTF-8''x; a*=UTF-8''y", ("v", {"a": "y"})),
    ],
)
def test_options_as_werkzeug_reads_them(
    value: str | None, result: tuple[str, dict[str, str]]
) -> None:
    assert parse_options_header(value) == result


def test_options_that_are_none_are_left_out() -> None:
    assert dump_options_header("v", {"a": None, "b": 1}) == "v; b=1"
    assert dump_options_header(None, {"a": "x y"}) == 'a="x y"'


def test_an_encoded_option_is_not_quoted_again() -> None:
    assert dump_options_header("v", {"name*": "UTF-8''%C3%A4"}) == "v; name*=UTF-8''%C3%A4"
    assert dump_header({"name*": "UTF-8''%C3%A4"}) == "name*=UTF-8''%C3%A4"


@pytest.mark.parametrize(
    "hostile",
    [
        "a," * LARGE,
        "," * LARGE,
        '"' * LARGE,
        '"\\' * LARGE,
        'a="' * LARGE,
        'a;a="' * LARGE,
        ";a=" * LARGE,
        "a;" + " " * LARGE + "b",
        "a=" * LARGE,
        'a="' + "\\\\" * LARGE,
        '"a"' * LARGE,
        "v; a*=" + "a'" * LARGE,
        "v; " + "a*" * LARGE + "=1",
    ],
    ids=range(13),
)
def test_a_lot_of_hostile_input_is_read_once(hostile: str) -> None:
    # Anything but linear time would take hours here, and no test would say so but this one.
    assert len(parse_list_header(hostile)) <= MAX_ENTRIES
    assert len(parse_dict_header(hostile)) <= MAX_ENTRIES
    assert len(parse_options_header(hostile)[1]) <= MAX_ENTRIES


def test_at_most_a_hundred_entries_are_read() -> None:
    assert parse_list_header(",".join(map(str, range(200)))) == [str(n) for n in range(100)]
    assert len(parse_list_header(",".join(f'"{n}"' for n in range(200)))) == 100
    assert len(parse_options_header("v;" + ";".join(f"a{n}=1" for n in range(200)))[1]) == 100


@pytest.mark.parametrize("name", ["", "two words", "na:me", "näme", "a\n", "a\0"])
def test_a_name_that_is_no_token_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="not a valid header name") as caught:
        validate_header(name, "value")
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("value", ["a\nb", "a\r", "\0", "x\r\nSet-Cookie: a=b"])
def test_a_value_that_would_split_the_response_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="'X-Test'"):
        validate_header("X-Test", value)


@given(token, text)
def test_what_may_be_sent_is_not_refused(name: str, value: str) -> None:
    validate_header(name, value)
    assert is_token(name)


@pytest.mark.parametrize("value", ["", "+1", "1_0", "٣", "1.0", "--1", "a", " ", "1" * 5000])
def test_only_plain_digits_are_a_number(value: str) -> None:
    with pytest.raises(ValueError, match="not a plain integer"):
        plain_int(value)


def test_a_number_may_be_negative_and_have_space_around_it() -> None:
    assert (plain_int(" 42\t"), plain_int("-7")) == (42, -7)
