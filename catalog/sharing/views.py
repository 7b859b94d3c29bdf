from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import translation

from catalog.bridge.rows import published_model_or_404
from catalog.model_page.answer import answer
from catalog.models import LanguageModel
from catalog.sharing import markdown, share_image

LISTED = 500  # models in llms.txt, the newest; the API has all


def model_markdown(request: HttpRequest, slug: str) -> HttpResponse:
    """A model's page as Markdown."""
    model = get_object_or_404(LanguageModel.objects.published().for_page(), slug=slug)
    address = request.build_absolute_uri(model.get_absolute_url())
    response = HttpResponse(markdown.model_text(model, address), content_type="text/markdown; charset=utf-8")
    response["Link"] = f'<{address}>; rel="canonical"'
    return response


def model_image(request: HttpRequest, slug: str) -> HttpResponse:
    """The image of a model for shared links, drawn when it is first asked for and kept like every answer."""
    model = published_model_or_404(slug)
    return _image(share_image.model_image(model.name, model.organization.name, answer(model)))


def site_image(request: HttpRequest) -> HttpResponse:
    return _image(share_image.site_image())


def _image(png: bytes) -> HttpResponse:
    response = HttpResponse(png, content_type="image/png")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def llms(request: HttpRequest) -> HttpResponse:
    """What there is, for language models that read the site: https://llmstxt.org."""
    with translation.override("en"):
        published = LanguageModel.objects.published()
        newest = published.for_list().order_by("-release_date", "slug")[:LISTED]
        pages = [
            ("Models", reverse("catalog:model_list"), "all models, by VRAM, licence, size and context"),
            ("Calculator", reverse("calculator:calculator"), "VRAM of any model or config.json on any cards"),
            ("Leaderboards", reverse("catalog:leaderboards"), "ranks with intervals, from published scores"),
            ("Accelerators", reverse("catalog:accelerator_list"), "cards, and what runs on each"),
            ("API", reverse("api:reference"), "read-only JSON, described in full by /api/v1/openapi.json"),
        ]
        text = markdown.index_text(newest, pages, max(0, published.count() - LISTED))
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
