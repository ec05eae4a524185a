"""Sentence pairs that differ in the number of their subject only, for the search of a unit that carries it.

"The <noun> <words between> was/were". Search and score use different nouns and different words between, so that a
score says something of sentences that the search has not seen. In each list the words between name nouns of the other
number too, singular and plural equally often behind both subjects, so that the latest noun gives nothing away.
"""

from __future__ import annotations

from dataclasses import dataclass

SEARCH_NOUNS = (
    ("cat", "cats"), ("dog", "dogs"), ("boy", "boys"), ("teacher", "teachers"), ("ship", "ships"),
    ("soldier", "soldiers"), ("player", "players"), ("song", "songs"), ("king", "kings"), ("house", "houses"),
    ("bird", "birds"), ("river", "rivers"), ("bridge", "bridges"), ("game", "games"), ("writer", "writers"),
    ("horse", "horses"), ("church", "churches"), ("film", "films"), ("tree", "trees"), ("student", "students"),
)  # fmt: skip
SEARCH_BETWEEN = (
    ", which already ate the fresh fish ,",
    "near the old river",
    "behind the walls of the town",
    ", who had seen the other players ,",
    "from the north of the country",
    ", which the men had found in the garden ,",
    "with the white stones",
    "that the officer had called",
)
HELD_OUT_NOUNS = (
    ("girl", "girls"), ("farmer", "farmers"), ("engine", "engines"), ("book", "books"), ("singer", "singers"),
    ("car", "cars"), ("island", "islands"), ("picture", "pictures"), ("doctor", "doctors"), ("village", "villages"),
    ("train", "trains"), ("artist", "artists"), ("road", "roads"), ("painting", "paintings"), ("judge", "judges"),
    ("story", "stories"), ("wolf", "wolves"), ("tower", "towers"), ("member", "members"), ("storm", "storms"),
)  # fmt: skip
HELD_OUT_BETWEEN = (
    ", which had been lost for many years ,",
    "beside the long street",
    "of the western hills",
    ", who knew the names of the guests ,",
    "that stood between two small houses",
    "under the command of the general",
    ", which nobody in the room had noticed ,",
    "that the visitors liked",
)
VERBS = ("was", "were")
EXAMPLE = ("cat", "cats", ", which already ate the fresh fish from the river ,")
"""The syllabus' sentence (B4, G5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPair:
    """One sentence, up to its verb, with a singular and with a plural subject."""

    singular: str
    plural: str
    between: str

    def words(self, *, plural: bool) -> tuple[str, ...]:
        """The words before the verb."""
        return ("The", self.plural if plural else self.singular, *self.between.split())


def number_pairs(nouns: tuple[tuple[str, str], ...], betweens: tuple[str, ...]) -> tuple[NumberPair, ...]:
    """Each noun with two of the betweens, every between equally often."""
    return tuple(
        NumberPair(singular=singular, plural=plural, between=betweens[(2 * index + turn) % len(betweens)])
        for index, (singular, plural) in enumerate(nouns)
        for turn in range(2)
    )


SEARCH_PAIRS = number_pairs(SEARCH_NOUNS, SEARCH_BETWEEN)
HELD_OUT_PAIRS = number_pairs(HELD_OUT_NOUNS, HELD_OUT_BETWEEN)
EXAMPLE_PAIR = NumberPair(singular=EXAMPLE[0], plural=EXAMPLE[1], between=EXAMPLE[2])
