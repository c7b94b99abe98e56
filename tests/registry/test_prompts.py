from concurrent.futures import ThreadPoolExecutor

from agent.guideline import GuidelinePack
from agent.prompts import guideline_part
from registry.connection import Registry
from registry.prompts import KIND_TAG, SEVERITY_TAG, TEXT_TAG, register_prompts
from tests.agent.build import guideline, pack, prompt_guideline


def test_prompt_guidelines_become_prompts_and_pattern_ones_do_not(registry: Registry) -> None:
    uris = register_prompts(registry, pack())
    prompt = registry.client.load_prompt(uris["attribution"])
    assert uris == {"attribution": "prompts:/test.attribution/1"}
    assert prompt.template == guideline_part(prompt_guideline())
    assert (prompt.tags[KIND_TAG], prompt.tags[SEVERITY_TAG], len(prompt.tags[TEXT_TAG])) == ("prompt", "warning", 64)


def test_an_unchanged_text_makes_no_new_version(registry: Registry) -> None:
    first = register_prompts(registry, pack())
    graver = pack(prompt_guideline(severity="breach"))
    assert register_prompts(registry, graver) == first
    assert len(registry.client.search_prompt_versions("test.attribution")) == 1


def test_a_changed_text_makes_one_and_going_back_finds_the_old_one(registry: Registry) -> None:
    changed = pack(prompt_guideline(instruction="Find numbers without a source."))
    uris = [register_prompts(registry, each)["attribution"] for each in (pack(), changed, pack())]
    assert uris == ["prompts:/test.attribution/1", "prompts:/test.attribution/2", "prompts:/test.attribution/1"]


def test_packs_do_not_share_prompts(registry: Registry) -> None:
    other = GuidelinePack(name="other", guidelines=(prompt_guideline(),))
    assert register_prompts(registry, pack()) != register_prompts(registry, other)


def test_braces_in_a_guideline_stay_as_they_are(registry: Registry) -> None:
    odd = prompt_guideline(instruction='Find {{ article }} and {% if %} and {"json": 1}.')
    uri = register_prompts(registry, pack(odd))["attribution"]
    assert registry.client.load_prompt(uri).template == guideline_part(odd)


def test_a_pack_of_patterns_has_no_prompts(registry: Registry) -> None:
    assert register_prompts(registry, pack(guideline())) == {}


def test_two_who_register_the_same_prompts_at_once_both_succeed(registry: Registry) -> None:
    many = pack(*(prompt_guideline(f"rule-{n}") for n in range(12)))
    with ThreadPoolExecutor(2) as threads:
        for uris in threads.map(lambda _: register_prompts(registry, many), range(2)):
            assert set(uris) == set(many.by_id)
    assert register_prompts(registry, many) == register_prompts(registry, many)
