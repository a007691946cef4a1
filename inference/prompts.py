"""From requests to token ids: the chat template, the continued answer, the plain prompt."""

from typing import Any

from inference.openai_types import BadRequest, ChatRequest, CompletionRequest


class Prompts:
    """A tokenizer and its chat template."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def of_chat(self, request: ChatRequest) -> list[int]:
        """Token ids of a conversation, ready for the answer; a last message of the assistant is continued."""
        if not self.tokenizer.chat_template:
            raise BadRequest(
                "This model has no chat template, so it cannot hold a conversation. Use /v1/completions, or "
                "deploy an instruct or chat variant of the model.",
                code="no_chat_template",
            )
        messages = [message.as_template_input() for message in request.messages]
        continued = messages.pop()["content"] if messages[-1]["role"] == "assistant" else ""
        return self._encode(self._render(messages) + continued, special=False)

    def _render(self, messages: list[dict[str, str]]) -> str:
        import jinja2

        try:
            return self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except (jinja2.TemplateError, TypeError, ValueError, KeyError, IndexError) as error:
            raise BadRequest(
                f"The model's chat template refuses this conversation: {error}",
                param="messages",
                code="chat_template",
            ) from error

    def of_completion(self, request: CompletionRequest) -> list[int]:
        if request.echo:
            raise BadRequest(
                "echo is not available on this server; leave it out.", param="echo", code="invalid_value"
            )
        if isinstance(request.prompt, str):
            prompt = self._encode(request.prompt, special=True)
        else:
            prompt = request.prompt
            if any(not 0 <= token < len(self.tokenizer) for token in prompt):
                raise BadRequest(
                    "A token id is outside the vocabulary.", param="prompt", code="invalid_value"
                )
        if not prompt:
            raise BadRequest("The prompt is empty.", param="prompt", code="invalid_value")
        return prompt

    def _encode(self, text: str, *, special: bool) -> list[int]:
        """Ids of `text`. `special` adds the tokens a text begins with; a rendered template has its own."""
        return list(self.tokenizer(text, add_special_tokens=special)["input_ids"])
