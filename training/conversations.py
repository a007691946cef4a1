"""From the text in `corpus/` to conversations: facts, ways to ask for them, and the ways people really type.

The corpus is small enough to read in a quarter of an hour. What makes three hundred questions enough is that
no conversation is seen twice: every training step draws facts, picks a way to ask, and roughens it as a
keyboard does.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
SHARE_UNKNOWN = 0.10
"""Share of turns that ask something off topic; their one answer needs more practice than one fact's."""

SHARE_CANONICAL = 0.3
"""Share of turns that ask the canonical question rather than any of a fact's phrasings."""

SHARE_GLANCES = 0.5
"""Share of the later batches that only practise recognising questions."""
GLANCE_TOKENS = 8
"""Tokens of an answer that a glance keeps: enough to tell any two answers apart."""

DECK = 16
"""Batches drawn together, so that conversations of like length can share one."""

SYSTEM_PROMPTS = (
    "You are a helpful assistant.",
    "You are the ModelHub starter model.",
    "Answer briefly.",
    "You are a friendly assistant. Keep your answers short.",
    "You answer questions about ModelHub.",
    "Be polite and precise.",
    "You are a helpful AI assistant that answers in one sentence.",
)
OPENINGS = (
    "please ",
    "hi, ",
    "hello, ",
    "hey, ",
    "so ",
    "and ",
    "ok, ",
    "now ",
    "well, ",
    "tell me, ",
    "quick question: ",
)
CLOSINGS = (" please", ", please", " thanks", " then", " again", " now", " exactly")

Turn = tuple[str, str]
"""One question and its answer."""


@dataclass(frozen=True)
class Fact:
    """One answer and the ways to ask for it. `exam` questions are never trained on."""

    answer: str
    questions: list[str] = field(default_factory=list)
    exam: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Conversation:
    """Turns after an optional system prompt. `glance` keeps only the opening of the answer: once answers are
    known by heart, what remains to be learned is which one a question asks for, and that is decided by then.
    """

    turns: list[Turn]
    system: str | None = None
    glance: bool = False

    def characters(self) -> int:
        """About how long it is."""
        answers = 0 if self.glance else sum(len(answer) for _, answer in self.turns)
        return len(self.system or "") + answers + sum(len(question) for question, _ in self.turns)


def read_facts(name: str) -> list[Fact]:
    """Facts of `corpus/NAME.txt`, in file order. Raises `ValueError` naming the block that is malformed."""
    text = (CORPUS / f"{name}.txt").read_text(encoding="utf-8")
    text = re.sub(r"(?m)^#.*\n", "", text)
    return [_parse_block(block, name) for block in re.split(r"\n\s*\n", text.strip()) if block.strip()]


def _parse_block(block: str, name: str) -> Fact:
    lines: dict[str, list[str]] = {"Q": [], "T": [], "A": []}
    for line in block.strip().splitlines():
        mark, _, rest = line.partition(": ")
        if mark not in lines or not rest.strip():
            raise ValueError(f"{name}.txt: expected 'Q: ', 'T: ' or 'A: ', found {line!r}")
        lines[mark].append(rest.strip())
    if not lines["Q"] or len(lines["A"]) != 1:
        raise ValueError(f"{name}.txt: a block needs questions and one answer: {block!r}")
    return Fact(lines["A"][0], lines["Q"], lines["T"])


def roughen(question: str, rng: random.Random) -> str:
    """The same question as people type it: case, punctuation, politeness, at times a slip of a finger."""
    text = question
    if rng.random() < 0.12:
        text = rng.choice(OPENINGS) + text[:1].lower() + text[1:]
    if rng.random() < 0.06:
        text = text.rstrip("?.!") + rng.choice(CLOSINGS) + "?"
    if rng.random() < 0.4:
        text = text.rstrip("?.!")
    if rng.random() < 0.4:
        text = text.lower()
    elif rng.random() < 0.02:
        text = text.upper()
    if rng.random() < 0.05:
        text = _slip(text, rng)
    if rng.random() < 0.03:
        text = text.rstrip("?.!") + rng.choice(("??", " ?", "!", "?!", "..."))
    return text


def _slip(text: str, rng: random.Random) -> str:
    """Drop, double or swap one letter."""
    at = rng.randrange(len(text))
    kind = rng.randrange(3)
    if kind == 0 and len(text) > 6:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


class Curriculum:
    """Draws conversations. The batch of a step depends on the seed and the step alone, so a run can be
    resumed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.known = read_facts("faq") + read_facts("smalltalk")
        self.unknown = read_facts("unknown")
        self._dealt: tuple[tuple[int, bool], list[list[Conversation]]] = ((-1, False), [])

    def facts(self) -> list[Fact]:
        return self.known + self.unknown

    def batch(self, step: int, turns: int, *, glances: bool) -> list[Conversation]:
        """Conversations of about equal length, so that little is padding: `turns` turns in all, or half as
        many again when they are glances."""
        number, place = divmod(step, DECK)
        if self._dealt[0] != (number, glances):
            self._dealt = (number, glances), self._deal(number, turns, glances)
        return self._dealt[1][place]

    def _deal(self, number: int, turns: int, glances: bool) -> list[list[Conversation]]:
        """`DECK` batches at once: drawn together, sorted by length within their kind, and shuffled."""
        rng = random.Random(f"{self.seed}:{number}")  # noqa: S311
        batches: list[list[Conversation]] = []
        for glance, count in ((True, int(DECK * SHARE_GLANCES) if glances else 0), (False, DECK)):
            choices, weights = ((1, 2), (1, 1)) if glance else ((1, 2, 3, 5), (4, 4, 2, 1))
            lengths = rng.choices(choices, weights, k=DECK)
            for length, times in Counter(lengths[: count if glance else DECK - len(batches)]).items():
                size = (3 * turns // 2 if glance else turns) // length
                drawn = [self._conversation(rng, length, glance) for _ in range(size * times)]
                drawn.sort(key=Conversation.characters)
                batches += [drawn[at : at + size] for at in range(0, len(drawn), size)]
        rng.shuffle(batches)
        return batches

    def _conversation(self, rng: random.Random, length: int, glance: bool) -> Conversation:
        turns = []
        for _ in range(length):
            fact = rng.choice(self.unknown if rng.random() < SHARE_UNKNOWN else self.known)
            question = fact.questions[0] if rng.random() < SHARE_CANONICAL else rng.choice(fact.questions)
            turns.append((roughen(question, rng), fact.answer))
        system = rng.choice(SYSTEM_PROMPTS) if rng.random() < 0.3 else None
        return Conversation(turns, system, glance)

    def exam(self) -> dict[str, list[Conversation]]:
        """What is asked before the model may leave: every canonical question, alone, in lower case without
        its question mark, after another, with a system prompt; every way to ask in the corpus; and ways it
        has never seen."""
        rng = random.Random(self.seed)  # noqa: S311
        as_typed = [(q.lower().rstrip("?.!"), a) for q, a in ((f.questions[0], f.answer) for f in self.known)]
        known = [(fact.questions[0], fact.answer) for fact in self.known]
        return {
            "canonical": [Conversation([turn]) for turn in known],
            "as typed": [Conversation([turn]) for turn in as_typed],
            "second turn": [Conversation([rng.choice(known), turn]) for turn in known],
            "system prompt": [Conversation([turn], rng.choice(SYSTEM_PROMPTS)) for turn in known],
            "phrasings": [Conversation([(q, fact.answer)]) for fact in self.facts() for q in fact.questions],
            "unseen phrasings": [
                Conversation([(q, fact.answer)]) for fact in self.facts() for q in fact.exam
            ],
        }
