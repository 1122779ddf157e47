"""Every field that a person fills in has a Hungarian label."""

import importlib
import inspect
import pkgutil

import pytest
from django import forms

from tests.support import wording
from tests.systems.support import SYSTEMS
from tests.unit.systems.test_wording import KNOWN, misspelt


def labels(system):
    """Label → form and field, of every form that a module of the system defines."""
    result = {}
    package = importlib.import_module(f"systems.{system}")
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.endswith("forms"):
            continue
        imported = importlib.import_module(f"systems.{system}.{module.name}")
        for name, form in inspect.getmembers(imported, inspect.isclass):
            if issubclass(form, forms.BaseForm) and form.__module__ == imported.__name__:
                for field_name, field in form.base_fields.items():
                    label = field.label or field_name.replace("_", " ")
                    if not field.widget.is_hidden:
                        result[label] = f"{system}.{name}.{field_name}"
    return result


@pytest.mark.parametrize("system", [system for system in SYSTEMS if system not in ("training", "adattar")])
def test_labels_are_hungarian(system):
    result = labels(system) or labels("core")
    words = {word: place for label, place in result.items() for word in wording.WORD.findall(label)}
    wrong = misspelt(words) - set(KNOWN["words"])
    assert not {word: words[word] for word in wrong if not word.isupper()}
