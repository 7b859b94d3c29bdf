"""What search engines read of a model's page as JSON-LD (schema.org): the model, where it stands, the memory answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.model_page.answer import Answer
from catalog.models import LanguageModel

Absolute = Callable[[str], str]


def graph(model: LanguageModel, answer: Answer | None, absolute: Absolute, language: str) -> dict[str, Any]:
    """`absolute` makes a whole address of a path. What is not known has no key."""
    nodes = [_software(model, answer, absolute, language), _breadcrumbs(model, absolute)]
    if answer:
        nodes.append(_questions(model, answer))
    return {"@context": "https://schema.org", "@graph": nodes}


def _software(model: LanguageModel, answer: Answer | None, absolute: Absolute, language: str) -> dict[str, Any]:
    known = {
        "@type": "SoftwareApplication",
        "name": model.name,
        "url": absolute(model.get_absolute_url()),
        "inLanguage": language,
        "applicationCategory": "DeveloperApplication",
        "applicationSubCategory": _("Open-weight language model"),
        "description": model.summary,
        "author": {
            "@type": "Organization",
            "name": model.organization.name,
            "url": absolute(model.organization.get_absolute_url()),
        },
        "datePublished": model.release_date,
        "license": model.licence_address,
        "downloadUrl": f"https://huggingface.co/{model.hf_repo}" if model.hf_repo else "",
        "memoryRequirements": answer.sentence if answer else "",
    }
    return {key: value for key, value in known.items() if value}


def _breadcrumbs(model: LanguageModel, absolute: Absolute) -> dict[str, Any]:
    steps = [
        (_("Models"), reverse("catalog:model_list")),
        (model.organization.name, model.organization.get_absolute_url()),
        (model.family.name, model.family.get_absolute_url()),
        (model.name, model.get_absolute_url()),
    ]
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": place, "name": name, "item": absolute(path)}
            for place, (name, path) in enumerate(steps, start=1)
        ],
    }


def _questions(model: LanguageModel, answer: Answer) -> dict[str, Any]:
    asked = _("How much VRAM does %(name)s need?") % {"name": model.name}
    return {
        "@type": "FAQPage",
        "mainEntity": [
            {"@type": "Question", "name": asked, "acceptedAnswer": {"@type": "Answer", "text": answer.sentence}}
        ],
    }
