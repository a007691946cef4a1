"""Transformers' continuous batching as an engine: one loop thread, many answers at a time, any of them
cancelled at will.

Why not `transformers serve`: it takes no LoRA adapters, and without its batching option it answers one client
at a time. The parts used here are `ContinuousBatchingManager` (scheduling, paged KV cache, prefix sharing)
and two places where it lets itself be completed: the list of logits processors (see sampling.py) and the
router of outputs.
"""

import itertools
import queue
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList
from transformers.generation import ContinuousBatchingConfig
from transformers.generation.continuous_batching.continuous_api import OutputRouter

from inference.memory import CachePlan
from inference.openai_shapes import Delta
from inference.openai_types import BadRequest, ChatRequest, CompletionRequest, Generation
from inference.prompts import Prompts
from inference.sampling import PerRequestSampling, Sampler, SamplingParams
from inference.text_stream import Detokenizer, StopStrings

WAITING_PER_SLOT = 32
"""Requests that may wait for each concurrent one before more are refused (429)."""


class Router(OutputRouter):
    """Hands every output to the queue of its request; called on the loop's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, queue.SimpleQueue[Any]] = {}

    def deliver(self, output: Any) -> None:
        waiting = self.queues.get(output.request_id)
        if waiting is not None:
            waiting.put(output)

    def deliver_batch(self, outputs: list[Any]) -> None:
        for output in outputs:
            self.deliver(output)


class Generating:
    """One answer under way: tokens in, text out. Used by one thread (its client's)."""

    def __init__(
        self, engine: "TransformersEngine", request_id: str, prompt: list[int], stops: list[str]
    ) -> None:
        self._engine = engine
        self._id = request_id
        self._outputs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        engine.router.queues[request_id] = self._outputs
        self._text = Detokenizer(engine.tokenizer, prompt)
        self._stops = StopStrings(stops)
        self._seen = 0
        self.prompt_tokens = len(prompt)

    def next(self, timeout: float) -> Delta:
        """The text of the tokens that have come since; see `openai_http.Answer`."""
        output = self._outputs.get(timeout=timeout)
        while not self._outputs.empty():  # a slow reader catches up in one step
            output = self._outputs.get()
        if output.error:
            self._close()
            return Delta(error=f"The engine could not go on: {output.error}")
        tokens, self._seen = output.generated_tokens[self._seen :], len(output.generated_tokens)
        finished = output.is_finished()
        text = self._stops.push(self._text.push(tokens, last=finished), last=finished)
        reason = None
        if self._stops.stopped:
            self.cancel()
            reason = "stop"
        elif finished:
            self._close()
            reason = (
                "stop"
                if output.generated_tokens[-1:] and output.generated_tokens[-1] in self._engine.ends
                else "length"
            )
        return Delta(text, reason, self._seen)

    def cancel(self) -> None:
        self._engine.manager.cancel_request(self._id)
        self._close()

    def _close(self) -> None:
        if self._engine.router.queues.pop(self._id, None) is not None:
            self._engine.sampling.samplers.pop(self._id, None)
            self._engine.finished += 1
            self._engine.tokens += self._seen


class TransformersEngine:
    """A loaded model, its tokenizer and the loop. `status` is loading until `start`, failed when the loop
    died."""

    def __init__(self, model_name: str, defaults: SamplingParams) -> None:
        self.model_name = model_name
        self.defaults = defaults
        self.context = 0
        self.loaded = False
        self.finished = 0
        self.tokens = 0
        self.sampling = PerRequestSampling()
        self.router = Router()
        self._ids = itertools.count()

    def start(self, model: Any, prompts: Prompts, ends: set[int], plan: CachePlan) -> None:
        """Begin to serve. `ends`: token ids that end an answer. Sizes are fixed by `plan` because what the
        library would choose by itself fills most of the machine's memory on a CPU."""
        self.prompts, self.tokenizer = prompts, prompts.tokenizer
        self.ends = ends
        self.context = plan.context
        self._slots = plan.max_concurrent
        generation = GenerationConfig(do_sample=False, eos_token_id=sorted(ends) or [-1], pad_token_id=0)
        config = ContinuousBatchingConfig(
            page_size=plan.page_size,
            num_blocks=plan.pages,
            max_batch_tokens=plan.max_batch_tokens,
            max_requests_per_batch=plan.max_concurrent,
            max_blocks_per_request=0,
            use_cuda_graph=False,  # a captured graph could not ask each request for its own sampling
            use_async_batching=False,
            auto_switch_to_flash=False,
        )
        self.manager = model.init_continuous_batching(
            generation_config=generation, continuous_batching_config=config
        )
        processors = self.manager.logit_processor
        processors.logits_processor = LogitsProcessorList([self.sampling])
        processors.tensors_required = 1
        processors.do_processing = True
        self.manager.output_router = self.router
        self.manager.start()
        self.loaded = True

    @property
    def status(self) -> str:
        if not self.loaded:
            return "loading"
        return "ok" if self.manager.is_running() and self.failure is None else "failed"

    @property
    def failure(self) -> Exception | None:
        """What the loop died of."""
        return self.manager.background_thread_status.fatal_error

    def stop(self) -> None:
        self.manager.stop(block=True, timeout=2, hard_stop=True)

    def chat(self, request: ChatRequest) -> Generating:
        return self._generate(self.prompts.of_chat(request), request, request.token_limit)

    def complete(self, request: CompletionRequest) -> Generating:
        return self._generate(self.prompts.of_completion(request), request, request.token_limit)

    def _generate(self, prompt: list[int], request: Generation, limit: int | None) -> Generating:
        room = self.context - len(prompt)
        if room < 1:
            raise BadRequest(
                f"The prompt has {len(prompt)} tokens and this deployment's context holds {self.context}, "
                "answer included. Shorten the conversation, or deploy the model with a larger context.",
                param="messages" if isinstance(request, ChatRequest) else "prompt",
                code="context_length_exceeded",
            )
        if len(self.router.queues) >= self._slots * (1 + WAITING_PER_SLOT):
            raise BadRequest("Too many requests are waiting; try again later.", code="overloaded", status=429)
        request_id = f"r{next(self._ids)}"
        answer = Generating(self, request_id, prompt, request.stop)
        self.sampling.samplers[request_id] = Sampler(self._sampling_of(request))
        accepted = self.manager.add_request(
            prompt, request_id=request_id, max_new_tokens=min(limit or room, room), streaming=True
        )
        if accepted is None:
            answer.cancel()
            raise BadRequest("The engine is stopping.", code="engine_stopping", status=503)
        return answer

    def _sampling_of(self, request: Generation) -> SamplingParams:
        """What the request says, and for the rest what the model's own generation settings say."""
        said = {name: getattr(request, name) for name in SamplingParams.__dataclass_fields__}
        return replace(self.defaults, **{name: value for name, value in said.items() if value is not None})

    def metrics(self) -> dict[str, float]:
        return {
            "requests_running": len(self.router.queues) if self.loaded else 0,
            "requests_total": self.finished,
            "tokens_total": self.tokens,
        }


def load_model(path: Path, dtype: torch.dtype) -> Any:
    """The weights, from safetensors only and without the repository's code, on the GPU if there is one."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        path,
        dtype=dtype,
        attn_implementation="sdpa",
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return model.to(device).eval()  # type: ignore[arg-type, call-arg]
