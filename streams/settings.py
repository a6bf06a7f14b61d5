"""Settings of the Faust application and of the projector."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from runtime.configuration import Section
from runtime.health import HealthSettings
from storage.share import Share


class AnalysisSettings(Section):
    """Limits of the analysis child processes."""

    workers: int = Field(2, ge=1, le=64, description="children probing at once")
    seconds: float = Field(15.0, ge=1, le=600, description="wall and CPU time of one probe")
    first_seconds: float = Field(
        4.0,
        ge=0.1,
        le=600,
        description="wall time of a first probe; a longer one is made anew when nothing else waits",
    )
    memory_mb: int = Field(512, ge=256, le=16_384, description="address space of a child")
    places: bool = Field(True, description="where a photo was taken is published")
    roots: dict[str, Path] = Field({}, description="JSON object: where this site finds each root's files")
    shares: dict[str, Share] = Field(
        {},
        description="JSON object: on which share this site finds each root's files; fields as of a root on a share",
    )
    roots_folder: Path | None = Field(
        None, description="folder with a TOML file for each root of this site that is not among them"
    )


class StreamsSettings(Section):
    """Settings of `catalogizer stream` and `catalogizer project`."""

    site: str = Field(
        "main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="jobs of this site are done here"
    )
    analysis: AnalysisSettings = Field(AnalysisSettings(), description="analysis children")
    status: bool = Field(
        True, description="workers of this site publish the status of roots and components; true at one site only"
    )
    health: HealthSettings = Field(HealthSettings(), description="health page of the stream worker")
    projector_health: HealthSettings = Field(HealthSettings(), description="health page of the projector")
