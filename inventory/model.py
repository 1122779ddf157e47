"""What all models of the register are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]


class Model(BaseModel):
    """Base of all register models: unknown fields and wrong types are faults, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
