"""Filters that every system's templates use: `{% load asp %}`."""

from django import template
from django.conf import settings

from systems.core import money

register = template.Library()
register.filter("forint", money.to_text)


@register.filter
def system_name(system: str) -> str:
    """What people call a system, by its id: `{{ line.system|system_name }}`."""
    return settings.ASP.name_of(system)
