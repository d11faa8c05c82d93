"""What a run is asked for, by the environment or by a test."""

import random
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class SoakSettings(BaseSettings):
    """`SOAK_SEED=17 SOAK_MINUTES=2 make soak`."""

    model_config = SettingsConfigDict(env_prefix="SOAK_")

    seed: int = Field(default_factory=lambda: random.randrange(1_000_000))
    minutes: float = Field(10.0, gt=0)
    """Of faults. Starting, healing and comparing take some more."""
    subscribers: int = Field(200, ge=1)
    database: Literal["postgresql", "sqlite"] = "postgresql"

    @property
    def seconds(self) -> float:
        return self.minutes * 60
