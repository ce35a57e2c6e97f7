"""Small models of random weights that fail in the ways that real ones do."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.jobs.collections import WORDS, cross_encoder

POSITIONS = 64


def word_tokenizer(folder: Path, pad: str | None = "[PAD]") -> int:
    """Save a tokenizer of the words; returns the size of its vocabulary. `[PAD]` is number 2."""
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: at for at, word in enumerate(("[UNK]", "</s>", "[PAD]", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", eos_token="</s>", pad_token=pad
    ).save_pretrained(folder)
    return len(vocabulary)


def decoder(folder: Path, pad: str | None = None, pad_id: int | None = None) -> Path:
    """A GPT-2 reranker, by default without any padding token."""
    from transformers import GPT2Config, GPT2ForSequenceClassification

    folder.mkdir()
    size = word_tokenizer(folder, pad)
    torch.manual_seed(7)
    config = GPT2Config(
        vocab_size=size,
        n_embd=16,
        n_layer=1,
        n_head=2,
        n_positions=POSITIONS,
        num_labels=1,
        pad_token_id=pad_id,
        bos_token_id=1,
        eos_token_id=1,
    )
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    return folder


def roberta(folder: Path) -> Path:
    """A reranker whose first position is its padding's number plus one: 66 rows, 63 positions."""
    from transformers import RobertaConfig, RobertaForSequenceClassification

    folder.mkdir()
    size = word_tokenizer(folder)
    torch.manual_seed(7)
    config = RobertaConfig(
        vocab_size=size,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=66,
        num_labels=1,
        pad_token_id=2,
    )
    RobertaForSequenceClassification(config).save_pretrained(folder)
    return folder


def encoder(folder: Path, *, positions: int = POSITIONS, dtype: str = "float32") -> Path:
    """A BERT encoder with mean pooling over the words, saved in a dtype."""
    from transformers import BertConfig, BertModel

    cross_encoder(folder)
    config = BertConfig.from_pretrained(folder)
    config.update({"max_position_embeddings": positions})
    torch.manual_seed(7)
    BertModel(config).to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def small_vocabulary(folder: Path) -> Path:
    """A cross-encoder with fewer rows of embeddings than its tokenizer has numbers."""
    from transformers import BertForSequenceClassification

    cross_encoder(folder)
    model = BertForSequenceClassification.from_pretrained(folder)
    model.resize_token_embeddings(8)
    model.save_pretrained(folder)
    return folder
