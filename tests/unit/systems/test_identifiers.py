"""Check digits: generated numbers are accepted, and any single mistyped digit is not."""

import datetime as dt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from systems.core import people
from systems.shared import identifiers

TODAY = dt.date(2026, 11, 23)
seeds = st.integers(0, 10**6)


@given(seeds)
def test_invented_people_and_firms_have_valid_identifiers(seed):
    person, firm = people.person(Random(seed), "Mintafalva", TODAY), people.firm(Random(seed), "Mintafalva")
    assert identifiers.identifier(person.identifier) == person.identifier
    assert identifiers.FIRST_DAY + dt.timedelta(days=int(person.identifier[1:6])) == person.born
    assert identifiers.identifier(firm.identifier) == firm.identifier
    assert person == people.person(Random(seed), "Mintafalva", TODAY)


@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_a_mistyped_digit_of_a_person_is_seen(seed, place, shift):
    sign = people.person(Random(seed), "Mintafalva", TODAY).identifier
    wrong = sign[:place] + str((int(sign[place]) + shift) % 10) + sign[place + 1 :]
    with pytest.raises(ValueError, match="ellenőrző"):
        identifiers.tax_sign(wrong)


@given(seeds, st.integers(0, 7), st.integers(1, 9))
def test_a_mistyped_digit_of_a_firm_is_seen(seed, place, shift):
    number = people.firm(Random(seed), "Mintafalva").identifier
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    with pytest.raises(ValueError, match="ellenőrző"):
        identifiers.tax_number(wrong)


@pytest.mark.parametrize("text", ["", "1234", "abcdefghijk", "12345676905", "١٢٣٤٥٦٧٦١٠٥", "8123"])
def test_what_is_no_identifier_is_refused_in_hungarian(text):
    with pytest.raises(ValueError, match="szám|jel"):
        identifiers.identifier(text)


def test_common_forms():
    number = f"1234567{identifiers.firm_check_digit('1234567')}105"
    assert identifiers.tax_number(f" {number[:8]}-{number[8]}-{number[9:]} ") == f"{number[:8]}-1-05"
