"""The corpus is well formed, and its conversations can be drawn again."""

import json
import random
from collections import Counter

from training.conversations import CORPUS, DECK, GLANCE_TOKENS, Curriculum, read_facts, roughen
from training.starter import RECIPE, reading_matter
from training.starter_tokenizer import (
    END_OF_TEXT,
    TURN_END,
    TURN_START,
    as_pretrained,
    encode,
    learn_tokenizer,
)

curriculum = Curriculum(RECIPE["seed"])
tokenizer = learn_tokenizer(reading_matter(curriculum), RECIPE["vocab_size"])


def test_every_question_has_one_answer() -> None:
    asked = Counter(
        q.lower().strip("?.! ") for fact in curriculum.facts() for q in {*fact.questions, *fact.exam}
    )
    assert [question for question, times in asked.items() if times > 1] == []


def test_exam_questions_are_not_trained_on() -> None:
    trained = {question for fact in curriculum.facts() for question in fact.questions}
    assert not trained & {question for fact in curriculum.facts() for question in fact.exam}


def test_a_glance_tells_answers_apart() -> None:
    openings = Counter(
        tuple(tokenizer.encode(fact.answer).ids[:GLANCE_TOKENS]) for fact in curriculum.facts()
    )
    assert max(openings.values()) == 1


def test_demo_questions_are_answered_in_the_corpus() -> None:
    answers = {fact.questions[0]: fact.answer for fact in read_facts("faq")}
    for question in json.loads((CORPUS / "demo.json").read_text()):
        assert all(phrase in answers[question["question"]] for phrase in question["expect"])


def test_batches_depend_on_the_step_alone() -> None:
    again = Curriculum(RECIPE["seed"])
    steps = [200, 3, 3 + DECK, 4]
    assert [again.batch(s, 32, glances=s > 80) for s in steps] == [
        curriculum.batch(s, 32, glances=s > 80) for s in reversed(list(reversed(steps)))
    ]
    assert curriculum.batch(3, 32, glances=False) != curriculum.batch(4, 32, glances=False)


def test_little_of_a_batch_is_padding() -> None:
    real = padded = 0
    for step in range(4 * DECK):
        lengths = [len(encode(tokenizer, c)[0]) for c in curriculum.batch(step, 32, glances=True)]
        real, padded = real + sum(lengths), padded + max(lengths) * len(lengths)
    assert real / padded > 0.7


def test_roughened_questions_stay_recognisable() -> None:
    rng = random.Random(0)
    rough = [roughen("How do I download a model?", rng) for _ in range(200)]
    assert len(set(rough)) > 20
    assert sum("download" in question.lower() for question in rough) > 150


def test_training_text_is_the_chat_templates_text() -> None:
    """What the model learns is, token for token, what the server will show it."""
    conversation = next(c for c in curriculum.batch(5, 32, glances=False) if len(c.turns) > 0)
    ids, answered = encode(tokenizer, conversation)
    messages = [{"role": "system", "content": conversation.system}] if conversation.system else []
    for question, answer in conversation.turns:
        messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    pretrained = as_pretrained(tokenizer, 1024)
    assert pretrained.apply_chat_template(messages)["input_ids"] == ids
    text = tokenizer.decode([token for token, mark in zip(ids, answered, strict=True) if mark])
    assert text == "".join(answer for _, answer in conversation.turns)
    assert [tokenizer.token_to_id(token) for token in (END_OF_TEXT, TURN_START, TURN_END)] == [0, 1, 2]


def test_any_text_can_be_written() -> None:
    text = "¡Grüße, 世界! 🦙 नमस्ते\n\x00"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
