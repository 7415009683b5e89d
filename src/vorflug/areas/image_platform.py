"""Images for the processor of this host: does the registry have each of them for it?

Sources: OCI image specification 1.1 (``image-index.md``: ``platform``; ``config.md``: ``architecture``, ``os``);
containerd's ``platforms`` for which variants run where.
"""

from __future__ import annotations

from collections.abc import Sequence

from vorflug.model.evidence import Evidence
from vorflug.model.message import Message, listed, msg, sentences
from vorflug.model.registry_content import ContentQuery, OfImages
from vorflug.model.requirement import Verdict, met, unmet
from vorflug.ports.registry import ManifestSeen, PullEnd

TITLE = msg("Platform of the images")


class PlatformRequirement(OfImages):
    """Every image exists for the platform that it is to run on."""

    kind = "image_platform"

    def wanted(self) -> Message:
        if self.architecture:
            return msg(
                "{count} images for linux/{architecture}", count=len(self.images), architecture=self.architecture
            )
        return msg("{count} images for the platform of this host", count=len(self.images))

    def queries(self, known: Evidence) -> Sequence[ContentQuery]:  # noqa: ARG002 - one question, whatever is known
        return [self.content_query()]

    def judge(self, evidence: Evidence) -> Verdict:
        content = evidence[self.content_query()].content
        fitting = [i for i in content.images if i.pull.end is PullEnd.GRANTED and i.platform]
        other = [i for i in content.images if i.pull.end is PullEnd.WRONG_PLATFORM]
        seen = msg(
            "{fitting} of {count} images for {platform}",
            fitting=len(fitting),
            count=len(self.images),
            platform=content.wanted,
        )
        if other:
            return unmet(
                wanted=self.wanted(),
                seen=listed(map(_offered, other)),
                because=sentences(
                    msg("{image} is not there for {platform}.", image=i.pull.image, platform=content.wanted)
                    for i in other
                ),
                fix=msg(
                    "Ask the vendor for these images for {platform}, or take a host that they are made for.",
                    platform=content.wanted,
                ),
            )
        gap = self.gap(content, [i for i in content.images if i not in fitting], seen)
        return gap or met(
            wanted=self.wanted(),
            seen=seen,
            because=msg("{registry} has every image for {platform}.", registry=self.registry, platform=content.wanted),
        )


def _offered(image: ManifestSeen) -> Message:
    return msg("{image}: {platforms:list}", image=image.pull.image, platforms=image.offered or ("-",))
