from django.urls import path

from catalog.views import home, model, models, organizations

app_name = "catalog"
urlpatterns = [
    path("", home.home, name="home"),
    path("models/", models.model_list, name="model_list"),
    path("models/<slug:slug>/", model.model_page, name="model"),
    path("organizations/<slug:slug>/", organizations.organization, name="organization"),
    path("families/<slug:slug>/", organizations.family, name="family"),
]
