"""What `up` refuses before it touches anything."""

import pytest

from centre.verbs import preconditions
from centre.verbs.progress import StepFailed
from inventory.register import load


def test_several_machines_are_refused_by_name_until_they_can_be_brought_up():
    with pytest.raises(StepFailed, match=r"three: seen 3 machines \(m1, m2, m3\), wanted one: .* Nothing was touched"):
        preconditions.one_machine(load("three"))


@pytest.mark.parametrize("env", ["dev", "test"])
def test_one_machine_is_as_ever(env):
    preconditions.one_machine(load(env))
