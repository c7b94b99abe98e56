"""What a house asks of a new version, as a file that is versioned like the guidelines."""

import hashlib
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import CopydeskError
from agent.finding import Severity
from evaluation.record import GuidelineFacts


class PolicyError(CopydeskError):
    """A policy file has a mistake."""

    type = "invalid-policy"


class Tier(StrEnum):
    """How a guideline takes part in a decision."""

    CRITICAL = "critical"  # must be no worse by itself
    SUPPORTING = "supporting"  # must be no worse together with those of its category
    ADVISORY = "advisory"  # is reported


class Margins(BaseModel):
    """The loss that a house accepts not to notice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recall: float = Field(gt=0, lt=1)  # of labelled violations
    false_alarms: float = Field(gt=0)  # per 1,000 words


class Floors(BaseModel):
    """What a version must reach whatever the champion does; None asks for nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recall: float | None = Field(default=None, ge=0, le=1)  # at least
    false_alarms: float | None = Field(default=None, ge=0)  # per 1,000 words, at most


class Policy(BaseModel):
    """Tiers, margins, floors and limits of a gate. Every error rate is one-sided."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    tiers: dict[Severity, Tier]  # of guidelines that aren't named below
    guidelines: dict[str, Tier] = {}
    margins: dict[Tier, Margins]
    floors: dict[Tier, Floors] = {}
    alpha: float = Field(default=0.05, gt=0, lt=0.5)  # of each claim of no worse
    worse_alpha: float = Field(default=0.05, gt=0, lt=0.5)  # of all claims of worse together
    joint_power: float = Field(default=0.9, gt=0.5, lt=1)  # with which an equally good challenger should pass
    least_effective: float = Field(default=20, ge=1)  # labelled violations without which nothing is claimed
    failed_checks: float = Field(default=0.01, ge=0, le=1)  # part of the checks, at most
    cost_ratio: float | None = Field(default=1.25, gt=0)  # challenger's over champion's, at most
    p95_ratio: float | None = Field(default=1.25, gt=0)
    injection_slice: str = "injection"  # articles that talk to the model; none: empty
    looks: int = Field(default=20, ge=1)  # decisions on one version of a set, after which it has told what it can
    approvals: int = Field(default=1, ge=1)  # people that must stand behind a promotion, whoever decided among them
    resamples: int = Field(default=10_000, ge=100)
    seed: int = 20260501

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def tier(self, guideline: str, facts: GuidelineFacts) -> Tier:
        return self.guidelines.get(guideline) or self.tiers[facts.severity]


def read_policy(path: Path) -> Policy:
    """Raises PolicyError with every mistake in the file."""
    try:
        policy = Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        said = [f"{path.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise PolicyError("\n".join(said)) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{str(path)!r} can't be read as a policy: {error}") from error
    if missing := [
        tier for tier in (*policy.tiers.values(), *policy.guidelines.values()) if tier not in policy.margins
    ]:
        raise PolicyError(f"{path.name}: tier {str(missing[0])!r} has no margins: give it recall and false_alarms")
    if missing_severity := [severity for severity in Severity if severity not in policy.tiers]:
        raise PolicyError(f"{path.name}: severity {str(missing_severity[0])!r} has no tier: name one under tiers")
    return policy
