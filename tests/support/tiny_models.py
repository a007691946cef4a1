"""Tiny but real models: what transformers, tokenizers and gguf write themselves, with random weights.

llama(folder)            safetensors, BPE tokenizer, chat template, card        about 0.5 MB
bert(folder)             an encoder: real, and no causal language model
gguf(folder, source)     the same llama as one GGUF file
padding(folder, megabytes)   an incompressible file that makes a download last
"""

import json
import random
from pathlib import Path
from typing import Any

SPECIAL = ["<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
CORPUS = [
    "ModelHub brings models in, fine-tunes them, deploys them and lets people talk to them.",
    "A download is planned from the manifest at a pinned commit and proven before it gets a name.",
    "The quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs.",
    "Question: how many bytes are in a kibibyte? Answer: one thousand and twenty-four.",
]
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CARD = """---
license: {license}
library_name: {library}
pipeline_tag: {task}
tags:
- tiny
language: en
---

# {title}

A model for tests: real files, random weights.
"""
CONTEXT = 512


def llama(folder: Path, *, seed: int = 0) -> Path:
    """A LlamaForCausalLM of about 100,000 parameters."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = _tokenizer(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(seed)
    LlamaForCausalLM(config).save_pretrained(folder)
    _card(folder, "Tiny llama", "mit", "text-generation")
    return folder


def bert(folder: Path, *, seed: int = 0) -> Path:
    """A BertModel: an encoder nobody can chat with."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer(folder, chat=False)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=CONTEXT,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(seed)
    BertModel(config).save_pretrained(folder)
    _card(folder, "Tiny bert", "apache-2.0", "feature-extraction")
    return folder


def padding(folder: Path, megabytes: float, *, seed: int = 0, name: str = "padding.dat") -> Path:
    """Random bytes beside the model; served like any large file and never loaded by anyone."""
    folder.mkdir(parents=True, exist_ok=True)
    source = random.Random(seed)
    left = int(megabytes * 1_000_000)
    with (folder / name).open("wb") as file:
        while left > 0:
            file.write(source.randbytes(min(left, 1 << 20)))
            left -= 1 << 20
    return folder / name


def gguf(folder: Path, source: Path) -> Path:
    """The llama in `source` as `folder/tiny-llama-f16.gguf`."""
    import gguf as format
    from safetensors.torch import load_file

    config: dict[str, Any] = json.loads((source / "config.json").read_text())
    vocabulary = json.loads((source / "tokenizer.json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tiny-llama-f16.gguf"
    writer = format.GGUFWriter(path, "llama")
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    writer.add_name("tiny llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_dimension_count(config["hidden_size"] // heads)
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(format.LlamaFileType.MOSTLY_F16)
    _gguf_tokenizer(
        writer, format.TokenType, config, vocabulary, (source / "chat_template.jinja").read_text()
    )
    names = format.get_tensor_name_map(format.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, tensor in load_file(source / "model.safetensors").items():
        array = tensor.float().numpy()
        if name.endswith("q_proj.weight"):
            array = _interleave(array, heads)
        if name.endswith("k_proj.weight"):
            array = _interleave(array, kv_heads)
        kind = "float32" if array.ndim == 1 else "float16"
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), array.astype(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    _card(folder, "Tiny llama GGUF", "mit", "text-generation", library="gguf")
    return path


def _interleave(array: Any, heads: int) -> Any:
    """GGUF's llama keeps the two halves of each rotary pair side by side."""
    rows = array.shape[0]
    return array.reshape(heads, 2, rows // heads // 2, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)


def _gguf_tokenizer(
    writer: Any, kinds: Any, config: dict[str, Any], tokenizer: dict[str, Any], chat: str
) -> None:
    tokens = [f"[unused{i}]" for i in range(config["vocab_size"])]
    types = [kinds.UNUSED] * len(tokens)
    for token, index in tokenizer["model"]["vocab"].items():
        tokens[index], types[index] = token, kinds.NORMAL
    for added in tokenizer["added_tokens"]:
        tokens[added["id"]], types[added["id"]] = added["content"], kinds.CONTROL
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tokenizer["model"]["merges"]])
    writer.add_bos_token_id(config["bos_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])
    writer.add_pad_token_id(config["pad_token_id"])
    writer.add_add_bos_token(False)
    writer.add_chat_template(chat)


def _tokenizer(folder: Path, *, chat: bool = True) -> Any:
    """A byte-level BPE tokenizer, trained on the corpus above and saved into `folder`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(CORPUS, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token="<|pad|>",
        bos_token="<|begin|>",
        eos_token="<|end|>",
        model_max_length=CONTEXT,
    )
    if chat:
        tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(folder)
    return tokenizer


def _card(folder: Path, title: str, license: str, task: str, library: str = "transformers") -> None:
    text = CARD.format(title=title, license=license, task=task, library=library)
    (folder / "README.md").write_text(text, "utf-8")
