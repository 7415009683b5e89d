"""A site file to fill in: every parameter and confirmation of a profile, explained and commented out."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from vorflug.documents.parameters import Parameter, text_of, wanted_of, written
from vorflug.documents.profile import Profile
from vorflug.documents.rows import Row
from vorflug.documents.site import SCHEMA
from vorflug.model.cause import TEAM_NAMES
from vorflug.model.message import Message, Text, msg
from vorflug.model.requirement import LEVEL_NAMES, HostSize, OperatingModel, Phase
from vorflug.texts import say

_WIDTH = 100


def template(profile: Profile, model: OperatingModel | None, language: str) -> str:
    """The text of a site file that is valid as it is and gives nothing yet.

    *model*: leave out what only other operating models ask for.
    """
    return "\n".join(_Writer(profile, model, language).lines()) + "\n"


class _Writer:
    def __init__(self, profile: Profile, model: OperatingModel | None, language: str) -> None:
        self._profile = profile
        self._model = model
        self._language = language

    def lines(self) -> Iterator[str]:
        profile, model = self._profile, self._model
        head = msg(
            "Site file for {title} {version}. Remove the '# ' before a line and put your value behind the colon.",
            title=text_of(profile.title),
            version=profile.version,
        )
        yield from self._comment(head, "")
        yield from self._comment(msg("What is still missing, and every mistake, shows: vorflug site check FILE"), "")
        secrets = msg("No secret belongs in here: name the environment variable or file that holds it.")
        yield from self._comment(secrets, "")
        yield f"schema: {SCHEMA}"
        yield f"profile: {{name: {profile.name}, version: {written(profile.version)}}}"
        yield from self._optional("customer", msg("Your organisation, as the report shows it"), "Musterbank AG")
        if model is not None:
            yield f"model: {model.value}"
        else:
            every = tuple(m.value for m in OperatingModel)
            yield from self._optional("model", msg("Operating model: {values:or}", values=every), "compose")
        sizes = profile.sizes_or_all
        shown = tuple(size.value for size in sizes)
        yield from self._optional("size", msg("Size: {values:or}", values=shown), sizes[0].value)
        for info in profile.sizes:
            yield from self._comment(self._size(info.size, text_of(info.title)), "")
        phases = tuple(phase.value for phase in Phase)
        yield from self._optional("phase", msg("Phase: {values:or}", values=phases), Phase.PRE_INSTALL.value)
        yield ""
        yield "parameters:"
        for name, parameter in self._parameters():
            yield from self._parameter(name, parameter)
        yield ""
        yield from self._comment(
            msg("What no program can see: who has confirmed it, when, and where that is written."), ""
        )
        yield "confirmations:"
        for row in profile.confirmations(model):
            yield from self._confirmation(row)

    def _parameters(self) -> Iterator[tuple[str, Parameter]]:
        profile = self._profile
        # an overlay may ask for more in a row that the base has too
        anywhere = {name for model in OperatingModel for row in profile.rows_of(model) for name in row.needs}
        rows = profile.rows if self._model is None else profile.rows_of(self._model)
        here = {name for row in rows for name in row.needs}
        for name, parameter in profile.parameters.items():
            if name in here or name not in anywhere:
                yield name, parameter

    def _parameter(self, name: str, parameter: Parameter) -> Iterator[str]:
        title = text_of(parameter.title)
        wanted = wanted_of(parameter)
        if parameter.many:
            wanted = msg("a list, each entry {wanted}", wanted=wanted)
        if parameter.required:
            head = msg("{title} (required): {wanted}", title=title, wanted=wanted)
        elif parameter.default is not None:
            head = msg(
                "{title} ({default} if not given): {wanted}",
                title=title,
                default=written(parameter.default),
                wanted=wanted,
            )
        else:
            head = msg("{title} (may be left out): {wanted}", title=title, wanted=wanted)
        yield ""
        yield from self._comment(head, "  ")
        if parameter.why is not None:
            yield from self._comment(text_of(parameter.why), "  ")
        yield f"  # {name}: {written(parameter.example if parameter.example is not None else parameter.sample)}"

    def _confirmation(self, row: Row) -> Iterator[str]:
        header = next(iter(row.headers.values()))
        yield ""
        title = msg(
            "{title} ({level}, {team})",
            title=text_of(header.title),
            level=LEVEL_NAMES[header.level],
            team=TEAM_NAMES[header.team],
        )
        yield from self._comment(title, "  ")
        yield f"  # {row.id}:"
        # neither passes 'site check' as it stands, so that nothing is confirmed by removing comment marks
        yield "  #   confirmed: true"
        yield '  #   by: ""'
        yield f"  #   on: {say(msg('YYYY-MM-DD'), self._language)}"
        yield '  #   evidence: ""'

    def _optional(self, name: str, explanation: Message, example: str) -> Iterator[str]:
        yield from self._comment(explanation, "")
        yield f"# {name}: {written(example)}"

    def _size(self, size: HostSize, title: Text) -> Message:
        return msg("{size}: {title}", size=size.value, title=title)

    def _comment(self, text: Message | Text, indent: str) -> Iterator[str]:
        # a text from the profile must not end the comment
        one_line = " ".join(say(text, self._language).split())
        for line in wrap(one_line, _WIDTH - len(indent)):
            yield f"{indent}## {line}"
