"""Django as an app server sets it up, before any file of this folder imports models: each can be run alone."""

from tests.unit.systems.support import configure

configure()
