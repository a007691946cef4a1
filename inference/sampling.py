"""Per-request sampling inside one continuous batch.

The batching loop ends every step with an argmax over the scores of all requests (its own sampling is off).
This processor turns that argmax into whatever each request asked for: greedy rows pass untouched; for the
others the Gumbel-max trick is used — argmax(log p + g) with g = -log(-log u) is a draw from p (Gumbel 1954;
Maddison et al., arXiv:1411.0030) — with a random generator per request, so a seed gives the same answer
whatever else is in the batch.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from transformers.generation.continuous_batching.cb_logits_processors import ContinuousBatchingLogitsProcessor


@dataclass(frozen=True)
class SamplingParams:
    """`temperature` 0 is greedy. `top_k` 0, `top_p` 1 and `min_p` 0 keep every token. Penalties as OpenAI
    defines them; `repetition_penalty` divides the scores of tokens already seen (Keskar et al.,
    arXiv:1909.05858)."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None

    @property
    def plain_greedy(self) -> bool:
        return self.temperature == 0 and not self.penalised

    @property
    def penalised(self) -> bool:
        return bool(self.presence_penalty or self.frequency_penalty) or self.repetition_penalty != 1.0


@dataclass
class Sampler:
    """The parameters of one request, its random state, and the tokens its penalties count."""

    params: SamplingParams
    generator: torch.Generator = field(default_factory=torch.Generator)

    def __post_init__(self) -> None:
        if self.params.seed is None:
            self.generator.seed()
        else:
            self.generator.manual_seed(self.params.seed)

    def choose(self, scores: torch.Tensor, prompt: list[int], generated: list[int]) -> torch.Tensor:
        """Scores of one request, shape [vocabulary], float32 → scores whose argmax is the chosen token."""
        params = self.params
        if params.penalised:
            scores = _penalise(scores, params, prompt, generated)
        if params.temperature == 0:
            return scores
        scores = _keep_likely(scores / params.temperature, params)
        uniform = torch.rand(scores.shape, generator=self.generator).to(scores.device)
        return scores - torch.log(-torch.log(uniform.clamp_(1e-20, 1 - 1e-7)))


def _penalise(
    scores: torch.Tensor, params: SamplingParams, prompt: list[int], generated: list[int]
) -> torch.Tensor:
    scores = scores.clone()
    if params.repetition_penalty != 1.0:
        seen = torch.tensor(sorted({*prompt, *generated}), device=scores.device)
        values = scores[seen]
        scores[seen] = torch.where(
            values > 0, values / params.repetition_penalty, values * params.repetition_penalty
        )
    if generated:
        tokens, counts = torch.tensor(generated, device=scores.device).unique(return_counts=True)
        scores[tokens] -= params.presence_penalty + params.frequency_penalty * counts
    return scores


def _keep_likely(scores: torch.Tensor, params: SamplingParams) -> torch.Tensor:
    """Top-k, then top-p, then min-p, each over what the one before kept; the likeliest token always stays."""
    vocabulary = scores.shape[-1]
    limit = min(params.top_k, vocabulary) if params.top_k > 0 else vocabulary
    if limit == vocabulary and params.top_p >= 1 and params.min_p <= 0:
        return scores
    values, order = scores.topk(limit)
    probabilities = values.softmax(-1)
    # A token stays while the ones before it do not yet reach top_p.
    keep = probabilities.cumsum(-1) - probabilities < params.top_p
    if params.min_p > 0:
        keep &= probabilities >= params.min_p * probabilities[0]
    keep[0] = True
    kept = torch.full_like(scores, float("-inf"))
    kept[order[keep]] = values[keep]
    return kept


class PerRequestSampling(ContinuousBatchingLogitsProcessor):
    """The one logits processor of our engine. Requests without a sampler here are greedy."""

    supported_kwargs: dict[str, type] = {}
    ignored_kwargs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.samplers: dict[str, Sampler] = {}
        self._rows: list[Any] = []

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.zero_()

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """Remember which request each row of the coming scores belongs to; no tensor is needed for that."""
        self._rows = [request.state for request in requests_with_new_token]
        return torch.zeros(len(self._rows), dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        """Scores [rows, vocabulary] (rows beyond the requests are padding) → the same shape."""
        for row, state in enumerate(self._rows):
            sampler = self.samplers.get(state.request_id)
            if sampler is not None and not sampler.params.plain_greedy:
                scores[row] = sampler.choose(scores[row], state.initial_tokens, state.generated_tokens)
        return scores
