"""A byte-level BPE tokenizer learned from the corpus, with a ChatML-like dialogue format.

Byte-level, so any text in any script can be read and written; small, because a vocabulary of two thousand
already makes most words of the corpus one token, and every entry costs a row in the embedding.
"""

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from training.conversations import GLANCE_TOKENS, Conversation

END_OF_TEXT, TURN_START, TURN_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def learn_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Merges learned from `texts`; ids 0, 1, 2 are end of text, turn start and turn end."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT, TURN_START, TURN_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode(
    tokenizer: Tokenizer, conversation: Conversation, *, last_only: bool = False
) -> tuple[list[int], list[bool]]:
    """Token ids of a conversation and, for each, whether it belongs to an answer, the end mark included (with
    `last_only`: to the last answer)."""
    pieces = (
        [(f"{TURN_START}system\n{conversation.system}{TURN_END}\n", False)] if conversation.system else []
    )
    for number, (question, answer) in enumerate(conversation.turns, 1):
        pieces.append((f"{TURN_START}user\n{question}{TURN_END}\n{TURN_START}assistant\n", False))
        pieces.append((f"{answer}{TURN_END}", number == len(conversation.turns) or not last_only))
        pieces.append(("\n", False))
    ids: list[int] = []
    is_answer: list[bool] = []
    for text, answered in pieces:
        tokens = tokenizer.encode(text).ids
        if answered and conversation.glance:
            tokens = tokens[:GLANCE_TOKENS]
        ids += tokens
        is_answer += [answered] * len(tokens)
    return ids, is_answer


def as_pretrained(tokenizer: Tokenizer, context: int) -> Any:
    """The same tokenizer as transformers saves and loads it, with its chat template."""
    from transformers import PreTrainedTokenizerFast

    pretrained = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    pretrained.chat_template = CHAT_TEMPLATE
    return pretrained
