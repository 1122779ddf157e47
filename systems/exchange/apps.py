"""Start-up: handlers and jobs of shared parts are registered before the first message."""

import importlib

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "systems.exchange"

    def ready(self) -> None:
        for module in ("feeding", "importing"):
            importlib.import_module(f"{self.name}.{module}")
