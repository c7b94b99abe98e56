import pytest

from evaluation.policy import PolicyError, Tier, read_policy
from pipelines.gate import DEFAULT_POLICY
from tests.evaluation.build import facts


def test_the_house_policy_says_who_is_critical():
    policy = read_policy(DEFAULT_POLICY)
    tiers = [policy.tier("g", facts(severity=severity)) for severity in ("breach", "warning", "advice")]
    assert tiers == [Tier.CRITICAL, Tier.SUPPORTING, Tier.ADVISORY]


def test_a_guideline_may_be_named(tmp_path):
    (tmp_path / "p.yaml").write_text(DEFAULT_POLICY.read_text() + "guidelines: {hedging: critical}\n")
    policy = read_policy(tmp_path / "p.yaml")
    assert policy.tier("hedging", facts(severity="advice")) is Tier.CRITICAL
    assert policy.digest != read_policy(DEFAULT_POLICY).digest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("alpha: 0.05 ", "alpha: 5 ", "p.yaml: alpha: Input should be less than 0.5"),
        ("name: house", "nam: house", "p.yaml: nam: Extra inputs"),
        ("  advisory: {recall: 0.10", "  # {recall: 0.10", "tier 'advisory' has no margins"),
        ("  advice: advisory\n", "", "severity 'advice' has no tier"),
        ("tiers:", "tiers: [", "can't be read as a policy"),
    ],
)
def test_a_mistake_is_named(old, new, said, tmp_path):
    (tmp_path / "p.yaml").write_text(DEFAULT_POLICY.read_text().replace(old, new, 1))
    with pytest.raises(PolicyError) as caught:
        read_policy(tmp_path / "p.yaml")
    assert said in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PolicyError, match=r"none\.yaml"):
        read_policy(tmp_path / "none.yaml")
