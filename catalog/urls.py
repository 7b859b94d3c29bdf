from django.urls import path

from catalog.accelerators.views import accelerator, accelerator_list
from catalog.comparison.views import compare
from catalog.feeds.feeds import NewModels, RankChanges
from catalog.home.views import home
from catalog.leaderboards import ranking_views
from catalog.leaderboards.views import benchmark, leaderboards
from catalog.model_list.organization_views import families, family, organization, organizations
from catalog.model_list.views import model_list
from catalog.model_page.views import model_page
from catalog.search_page.views import card_search, search, suggestions
from catalog.sharing.views import model_image, model_markdown, site_image

app_name = "catalog"
urlpatterns = [
    path("", home, name="home"),
    path("models/", model_list, name="model_list"),
    path("models/<slug:slug>/", model_page, name="model"),
    path("models/<slug:slug>.md", model_markdown, name="model_markdown"),
    path("models/<slug:slug>/share.png", model_image, name="model_image"),
    path("share.png", site_image, name="site_image"),
    path("feeds/models.atom", NewModels(), name="feed_models"),
    path("feeds/ranks.atom", RankChanges(), name="feed_ranks"),
    path("benchmarks/", leaderboards, name="leaderboards"),
    path("benchmarks/method/", ranking_views.method, name="ranking_method"),
    path("benchmarks/changes/", ranking_views.changes, name="ranking_changes"),
    path("benchmarks/releases/<int:pk>.json", ranking_views.release, name="ranking_release"),
    path("benchmarks/<slug:slug>/", benchmark, name="benchmark"),
    path("accelerators/", accelerator_list, name="accelerator_list"),
    path("accelerators/<slug:slug>/", accelerator, name="accelerator"),
    path("compare/", compare, name="compare"),
    path("organizations/", organizations, name="organization_list"),
    path("organizations/<slug:slug>/", organization, name="organization"),
    path("families/", families, name="family_list"),
    path("families/<slug:slug>/", family, name="family"),
    path("search/", search, name="search"),
    path("search/suggestions/", suggestions, name="suggestions"),
    path("search/cards/", card_search, name="card_search"),
]
