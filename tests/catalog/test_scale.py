"""Pages over many models: constant queries, ranks only read."""

from __future__ import annotations

from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog import standings
from catalog.models import Benchmark, DataChange, Family, LanguageModel, Place, Release, Score, Standing
from catalog.models.statistics import renew_statistics
from tests.catalog.field import make_field


def get(path: str) -> None:
    assert Client().get(path).status_code == 200


def queries_of(path: str) -> int:
    get(path)  # whatever is cached for the process is cached now
    with CaptureQueriesContext(connection) as queries:
        get(path)
    return len(queries)


PAGES = (
    "/en/benchmarks/",
    "/en/benchmarks/?board=coding&memory=30&licence=yes",
    "/zh-hans/benchmarks/?show=unranked",
    "/en/benchmarks/b05/",
    "/en/benchmarks/method/",
    "/en/benchmarks/changes/",
    "/en/models/m05/",
    "/en/models/?memory=12&sort=name",
    "/en/models/?q=model&max_parameters=9",
    "/en/organizations/",
    "/en/organizations/acme/",
    "/en/families/",
    "/en/families/road/",
    "/en/compare/?m=m05&m=m06&m=m07&m=m08",
    "/api/v1/benchmarks/b05/",
    "/api/v1/ranks/",
)


def test_queries_do_not_grow_with_the_models(db: None) -> None:
    counts = []
    for models in (20, 40):
        sid = transaction.savepoint()
        make_field(models)
        Score.objects.filter(model__slug__in=["m00", "m01"]).delete()  # so that some have no rank
        standings.refresh()
        counts.append({path: queries_of(path) for path in PAGES})
        transaction.savepoint_rollback(sid)
    assert counts[0] == counts[1]
    assert max(counts[1].values()) <= 12


def test_two_thousand_models_and_forty_benchmarks(db: None) -> None:
    """Rows as `refresh` would store them; a page shows its share of them and asks no more often."""
    make_field(40)
    standings.refresh()
    release = Release.objects.get(scope="overall")
    pattern = LanguageModel.objects.get(slug="m05")
    names = [f"x{number:04}" for number in range(2000)]
    Family.objects.bulk_create(
        Family(slug=f"f{number}", organization=pattern.organization, name_en=f"F{number}") for number in range(100)
    )
    families = list(Family.objects.values_list("pk", flat=True))
    columns = {"organization_id": pattern.organization_id, "variant": "instruct", "is_published": True}
    LanguageModel.objects.bulk_create(
        LanguageModel(
            slug=name,
            name=name,
            family_id=families[number % 100],
            memory_8k_bytes=(number + 1) * 2**28,
            **columns,
        )
        for number, name in enumerate(names)
    )
    rows = list(LanguageModel.objects.filter(slug__startswith="x").order_by("slug").values_list("pk", flat=True))
    Benchmark.objects.bulk_create(
        Benchmark(slug=f"y{number}", name_en=f"y{number}", category="math", metric_en="%", scale_max=100.0)
        for number in range(28)
    )
    tests = list(Benchmark.objects.values_list("pk", flat=True))
    assert len(tests) == 40
    Score.objects.bulk_create(
        (
            Score(model_id=model, benchmark_id=tests[(number + step) % 40], value=number % 100, source_kind="vendor",
                  source="https://acme.example/card")
            for number, model in enumerate(rows)
            for step in range(10)
        ),
        batch_size=2000,
    )  # fmt: skip
    scores = Score.objects.filter(model__slug__startswith="x").values_list("pk", flat=True)
    Standing.objects.bulk_create((Standing(score_id=pk, rank=1, of=500, tied=False) for pk in scores), batch_size=5000)
    Place.objects.filter(release=release).delete()
    Place.objects.bulk_create(
        Place(release=release, model_id=pk, rank=number + 1, low=number + 1, high=number + 9, tier=1,
              index=90 - number / 30, num_benchmarks=10, num_categories=4)
        for number, pk in enumerate(rows)
    )  # fmt: skip
    DataChange.record()
    renew_statistics()
    for path in ("/en/benchmarks/", "/en/benchmarks/?memory=80&page=2", "/en/benchmarks/b05/", "/en/models/x0100/"):
        assert queries_of(path) <= 14
        assert len(Client().get(path).content) < 250_000, path  # a page of rows, not all of them
