"""Who runs a language model, what people call them, and how each wants its key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vorflug.model.message import Message, msg


class Provider(StrEnum):
    """Who runs the model."""

    AZURE_OPENAI = "azure_openai"
    AWS_BEDROCK = "aws_bedrock"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    MISTRAL = "mistral"
    GEMINI = "gemini"
    VERTEX = "vertex"
    LOCAL = "local"
    """An OpenAI-compatible server of the site's own: Ollama, vLLM."""


PROVIDERS: dict[Provider, Message] = {
    Provider.AZURE_OPENAI: msg("Azure OpenAI"),
    Provider.AWS_BEDROCK: msg("AWS Bedrock"),
    Provider.OPENAI: msg("OpenAI"),
    Provider.ANTHROPIC: msg("Anthropic"),
    Provider.MISTRAL: msg("Mistral"),
    Provider.GEMINI: msg("Google Gemini"),
    Provider.VERTEX: msg("Google Vertex AI"),
    Provider.LOCAL: msg("the site's own model server"),
}
"""What people call them."""


@dataclass(frozen=True)
class KeyForm:
    """How a key is sent."""

    header: str = "authorization"
    scheme: str = "Bearer"
    besides: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ('"data"',)
    """Members of the answer one of which holds the list of models, as JSON writes their names."""


KEY_FORMS: dict[Provider, KeyForm] = {
    # Azure OpenAI REST API reference, "Authentication"
    Provider.AZURE_OPENAI: KeyForm("api-key", ""),
    # Amazon Bedrock user guide, "Use an Amazon Bedrock API key": signatures (SigV4) are not made here;
    # "data" is its OpenAI-compatible list, the other ListFoundationModels and ListInferenceProfiles
    Provider.AWS_BEDROCK: KeyForm(listed=('"data"', '"modelSummaries"', '"inferenceProfileSummaries"')),
    Provider.OPENAI: KeyForm(),
    # Claude API, "Authentication" and "Versions"
    Provider.ANTHROPIC: KeyForm("x-api-key", "", (("anthropic-version", "2023-06-01"),)),
    Provider.MISTRAL: KeyForm(),
    # Gemini API, "Using API keys": in a header, where no log has it, and not in the URL
    Provider.GEMINI: KeyForm("x-goog-api-key", "", listed=('"models"', '"data"')),
    # publishers.models.list; models.list of a project; its OpenAI-compatible list
    Provider.VERTEX: KeyForm(listed=('"publisherModels"', '"models"', '"data"')),
    # "models" is Ollama's own list
    Provider.LOCAL: KeyForm(listed=('"data"', '"models"')),
}
"""How each provider wants its key, and lists its models."""
