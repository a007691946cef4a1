"""`python -m training.starter SPEC.json`: makes the starter model, a tiny chat model, from nothing, in a
minute.

Read it from top to bottom: a recipe, a tokenizer, a model, a loop, an examination, a handful of files.

It obeys the protocol of a fetch (see `integrations/child_events.py`): progress is told in bytes as if the
model were being downloaded; SIGTERM saves and stops; after that, or after a crash, the same spec run again
goes on where the last checkpoint was. The finished directory is an ordinary Hugging Face model.
"""

import hashlib
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from integrations.child_events import EventWriter, run_child
from integrations.errors import ChildFailed, Stopped
from training.conversations import CORPUS, Conversation, Curriculum

# -- The recipe. Every number was measured on two cores.

RECIPE: dict[str, Any] = {
    "version": 2,
    "seed": 20,
    "vocab_size": 2048,  # the corpus has merges for a few less; the rest of the rows stay unused
    "context": 1024,
    "hidden_size": 192,
    "layers": 4,
    "heads": 3,
    "kv_heads": 1,
    "intermediate_size": 528,
    "steps": 320,
    "turns_per_batch": 32,
    "matrix_lr": 0.03,
    "embedding_lr": 0.01,
    "glances_from_step": 80,
    "warmup_steps": 10,
    "decay_share": 0.7,  # of the steps; before that the rate is constant
    "opening_weight": 3.0,  # the first tokens of an answer decide which answer it is, and count more
    "opening_tokens": 3,
    "extra_round_steps": 48,
    "extra_round_rate": 0.1,  # of the peak: at half of it, rounds forgot as many answers as they taught
    "extra_rounds": 6,
}
MUST_PASS = {
    "canonical": 1.0,
    "as typed": 0.95,
    "second turn": 0.97,
    "system prompt": 0.98,
    "phrasings": 0.95,
}
"""Share of each part of the examination that must be answered word for word."""
LENIENCE = 0.03
"""What may be missing of each share after the last round: three facts of a hundred are no reason to end
with no model at all."""
CHECKPOINT_SECONDS = 10
ESTIMATED_BYTES = 8_300_000
"""Size of the finished directory, for progress; the source's plan gives the same estimate file by file."""


def make(spec: dict[str, Any], events: EventWriter, stop: threading.Event) -> dict[str, Any]:
    """The whole life of the starter model. Result: its files with sizes and checksums."""
    threads = int(spec.get("options", {}).get("threads") or min(4, os.cpu_count() or 1))
    # Waiting threads sleep instead of spinning: on a busy machine spinning made training five times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    into = Path(spec["into"])
    plan = spec.get("plan") or {}
    (into / ".transfer").mkdir(parents=True, exist_ok=True)

    student = Student(into / ".transfer" / "checkpoint.pt", threads)
    rounds = 1 + RECIPE["extra_rounds"]
    for number in range(rounds):
        lenience = LENIENCE if number == rounds - 1 else 0.0
        student.train(number, Reporter(events, plan.get("bytes_total") or ESTIMATED_BYTES), stop)
        marks = student.examine()
        events.emit(
            "log", line="examination: " + ", ".join(f"{part} {mark:.1%}" for part, mark in marks.items())
        )
        if all(marks[part] >= share - lenience for part, share in MUST_PASS.items()):
            break
    else:
        student.forget()  # a checkpoint that failed would fail again
        raise ChildFailed(
            "The starter model did not learn its answers well enough. Start it again.",
            details={"marks": marks},
        )
    return {"files": write_model(student, into), "commit": plan.get("commit"), "marks": marks}


def fingerprint() -> str:
    """Identity of the text and the recipe: a checkpoint of another one is not gone on with."""
    digest = hashlib.sha1(json.dumps(RECIPE, sort_keys=True).encode(), usedforsecurity=False)
    for path in sorted(CORPUS.iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Reporter:
    """Progress as a fetch tells it: bytes by share of the work, time left by the pace so far."""

    def __init__(self, events: EventWriter, bytes_total: int) -> None:
        self._events, self._bytes = events, bytes_total
        self._began, self._first = time.monotonic(), -1

    def __call__(self, step: int, steps: int, loss: float) -> None:
        if self._first < 0:
            self._first = step - 1
        pace = (time.monotonic() - self._began) / (step - self._first)
        done = min(self._bytes, self._bytes * step // RECIPE["steps"])
        self._events.progress(
            bytes_done=done,
            bytes_total=self._bytes,
            speed=self._bytes / RECIPE["steps"] / pace if pace else 0.0,
            eta=max(0.0, (steps - step) * pace),
            message=f"training step {step}/{steps}, loss {loss:.2f}",
        )


class Student:
    """The model while it learns: weights, optimisers, the step it has reached."""

    def __init__(self, checkpoint: Path, threads: int) -> None:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        from training.muon import Muon
        from training.starter_tokenizer import TURN_END, learn_tokenizer

        torch.set_num_threads(threads)
        torch.manual_seed(RECIPE["seed"])
        self.curriculum = Curriculum(RECIPE["seed"])
        self.tokenizer = learn_tokenizer(reading_matter(self.curriculum), RECIPE["vocab_size"])
        self.model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=RECIPE["vocab_size"],
                hidden_size=RECIPE["hidden_size"],
                intermediate_size=RECIPE["intermediate_size"],
                num_hidden_layers=RECIPE["layers"],
                num_attention_heads=RECIPE["heads"],
                num_key_value_heads=RECIPE["kv_heads"],
                max_position_embeddings=RECIPE["context"],
                tie_word_embeddings=True,  # a fifth of the parameters would otherwise be a second copy
                bos_token_id=None,
                eos_token_id=self.tokenizer.token_to_id(TURN_END),
                pad_token_id=0,
            )
        )
        inside = [p for name, p in self.model.named_parameters() if p.ndim == 2 and "embed" not in name]
        outside = [p for name, p in self.model.named_parameters() if p.ndim != 2 or "embed" in name]
        self.muon = Muon(inside, lr=RECIPE["matrix_lr"])
        self.adamw = torch.optim.AdamW(
            outside, lr=RECIPE["embedding_lr"], betas=(0.9, 0.95), weight_decay=0.0, fused=True
        )
        self.step = 0
        self._checkpoint = checkpoint
        self._resume()

    # -- learning

    def train(self, number: int, report: Reporter, stop: threading.Event) -> None:
        """One round: the long first one, or a short extra one at a lower rate. Raises `Stopped` with the
        state saved."""
        begin = 0 if number == 0 else RECIPE["steps"] + (number - 1) * RECIPE["extra_round_steps"]
        end = RECIPE["steps"] + number * RECIPE["extra_round_steps"]
        saved = time.monotonic()
        while self.step < end:
            self._set_rate(
                (self.step - begin) / (end - begin), 1.0 if number == 0 else RECIPE["extra_round_rate"]
            )
            glances = self.step >= RECIPE["glances_from_step"]
            loss = self._learn(self.curriculum.batch(self.step, RECIPE["turns_per_batch"], glances=glances))
            self.step += 1
            report(self.step, end, loss)
            if stop.is_set() or time.monotonic() - saved > CHECKPOINT_SECONDS:
                self._save()
                saved = time.monotonic()
            if stop.is_set():
                raise Stopped("stopped by request; the training goes on from here")
        self._save()

    def _set_rate(self, done: float, peak: float) -> None:
        """Linear warm-up (of the very first steps), a plateau, then a straight line down to 2 %."""
        factor = peak * min(1.0, (self.step + 1) / RECIPE["warmup_steps"])
        factor *= 0.02 + 0.98 * min(1.0, (1 - done) / RECIPE["decay_share"])
        self.muon.lr = RECIPE["matrix_lr"] * factor
        for group in self.adamw.param_groups:
            group["lr"] = RECIPE["embedding_lr"] * factor

    def _learn(self, conversations: list[Conversation]) -> float:
        """One step of both optimisers on one batch; the loss."""
        import torch
        from torch.nn.functional import cross_entropy

        ids, answered = self._tensors(conversations)
        scores, targets = self._forward(ids, answered)
        weights = opening_weights(answered)
        losses = cross_entropy(scores, targets, reduction="none")
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in (self.muon, self.adamw):
            optimiser.step()
            optimiser.zero_grad()
        return loss.item()

    def _forward(self, ids: Any, answered: Any) -> tuple[Any, Any]:
        """Scores [answer tokens, vocabulary] and the tokens they should have chosen. Only answers pass the
        output layer. Padding is on the right, so causal attention alone keeps it out of sight."""
        hidden = self.model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        wanted = answered[:, 1:]
        return self.model.lm_head(hidden[wanted]), ids[:, 1:][wanted]

    def _tensors(self, conversations: list[Conversation], *, last_only: bool = False) -> tuple[Any, Any]:
        """Token ids [batch, longest] and which of them are answers (or the last answer)."""
        import torch

        from training.starter_tokenizer import encode

        encoded = [
            encode(self.tokenizer, conversation, last_only=last_only) for conversation in conversations
        ]
        longest = max(len(ids) for ids, _ in encoded)
        ids = torch.zeros(len(encoded), longest, dtype=torch.long)
        answered = torch.zeros(len(encoded), longest, dtype=torch.bool)
        for row, (tokens, marks) in enumerate(encoded):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            answered[row, : len(tokens)] = torch.tensor(marks)
        return ids, answered

    # -- being examined

    def examine(self) -> dict[str, float]:
        """Share of last answers, per part of the examination, that greedy decoding gives word for word.

        No text is generated: greedy decoding reproduces an answer exactly when, with the answer as input, the
        likeliest token at every position is the answer's own. One pass over the batch says so.
        """
        return {part: self._mark(questions) for part, questions in self.curriculum.exam().items()}

    def _mark(self, conversations: list[Conversation]) -> float:
        import torch

        right = 0
        with torch.inference_mode():
            for at in range(0, len(conversations), 64):
                ids, answered = self._tensors(conversations[at : at + 64], last_only=True)
                scores, targets = self._forward(ids, answered)
                wrong_rows = answered[:, 1:].nonzero()[scores.argmax(-1) != targets][:, 0]
                right += len(ids) - len(wrong_rows.unique())
        return right / len(conversations)

    # -- stopping and going on

    def _save(self) -> None:
        """Replace the checkpoint in one rename, so that a kill at any moment leaves a whole one."""
        import torch

        state = {
            "recipe": fingerprint(),
            "step": self.step,
            "model": self.model.state_dict(),
            "muon": self.muon.state_dict(),
            "adamw": self.adamw.state_dict(),
        }
        part = self._checkpoint.with_suffix(".part")
        with part.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._checkpoint)

    def forget(self) -> None:
        """Drop the checkpoint; the next run begins from nothing."""
        self._checkpoint.unlink(missing_ok=True)

    def _resume(self) -> None:
        """Go on from the checkpoint, if there is one of this very recipe and text."""
        import torch

        if not self._checkpoint.exists():
            return
        state = torch.load(self._checkpoint, weights_only=True)
        if state["recipe"] == fingerprint():
            self.step = state["step"]
            self.model.load_state_dict(state["model"])
            self.muon.load_state_dict(state["muon"])
            self.adamw.load_state_dict(state["adamw"])


def reading_matter(curriculum: Curriculum) -> list[str]:
    """Text the tokenizer is learned from: questions as written and in lower case, and answers."""
    facts = curriculum.facts()
    questions = [question for fact in facts for question in fact.questions]
    roles = ["system\n", "user\n", "assistant\n"] * 1000  # so frequent that each becomes one token
    return [*questions, *map(str.lower, questions), *(fact.answer for fact in facts), *roles]


def opening_weights(answered: Any) -> Any:
    """Weights of the answer tokens, in the order of `_forward`: more for the first few of every answer."""
    import torch

    wanted, before = answered[:, 1:], answered[:, :-1]
    opening = wanted & ~before
    for _ in range(RECIPE["opening_tokens"] - 1):
        opening = opening | (wanted & torch.nn.functional.pad(opening, (1, 0))[:, :-1])
    return torch.where(opening, RECIPE["opening_weight"], 1.0)[wanted]


def write_model(student: Student, into: Path) -> list[dict[str, Any]]:
    """Write the directory, each file by one rename, and describe it: path, size, SHA-256."""
    from transformers.utils.logging import disable_progress_bar

    from training.starter_tokenizer import as_pretrained

    disable_progress_bar()
    made = into / ".transfer" / "made"
    student.model.save_pretrained(made)
    as_pretrained(student.tokenizer, RECIPE["context"]).save_pretrained(made)
    settings = {"do_sample": False, "eos_token_id": student.model.config.eos_token_id, "pad_token_id": 0}
    (made / "generation_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (made / "README.md").write_bytes((CORPUS / "card.md").read_bytes())
    files = []
    for path in sorted(made.iterdir()):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files.append({"path": path.name, "size": path.stat().st_size, "sha256": digest})
        path.replace(into / path.name)
    return files


if __name__ == "__main__":
    run_child(make)
