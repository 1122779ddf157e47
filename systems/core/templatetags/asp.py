"""Filters that every system's templates use: `{% load asp %}`."""

from django import template

from systems.core import money

register = template.Library()
register.filter("forint", money.shown)
