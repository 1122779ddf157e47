"""`{% load portal_markup %}`: `{{ text|markup }}`."""

from django import template

from systems.portal import markup

register = template.Library()
register.filter("markup", markup.html)
