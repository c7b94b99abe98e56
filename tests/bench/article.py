"""A made-up article of about 1,000 words, long enough to measure on."""

from agent.article import Article
from agent.formats.reading import article_from_text

_PARTS = (
    "The river authority of the Lower Ems voted on Tuesday to rebuild the weir at Haddon, a step that engineers have "
    "asked for since the flood of 2021. The work will take two summers and is expected to cost {a} million euros, "
    "according to a plan that the authority published in March.",
    "“We know what happens when we wait,” said Jana Brandt, who runs the ferry below the weir. She lost two boats in "
    "the flood and has moved her landing stage {a} metres upstream since then. Her neighbours did the same in order "
    "to be safe, but some of them say that the new place is very hard to reach in winter.",
    "Not everybody agrees. The anglers’ club of Haddon fears that the new weir will keep salmon from their spawning "
    "grounds; it has asked the county for a fish ladder with at least {a} steps. A study by the University of Ems, "
    "paid for by the club, counted 312 salmon in a single week of October.",
    "The authority's director, Paul Okoro, said that the ladder was part of the plan. “It was left out of the first "
    "drawing by mistake,” he told the meeting. Perhaps {a} of the members laughed; others asked to see the drawing "
    "before the vote, and the chair put it off by an hour.",
    "Work begins in May. Until then the towpath stays open between the church and the mill, and a bus replaces the "
    "ferry on {a} days. Those who want to comment can read the papers in the library of Haddon or on its website, "
    "where each page has a form for questions.",
)


def thousand_words() -> Article:
    return article_from_text("\n".join(part.format(a=number) for number in range(3, 7) for part in _PARTS))
