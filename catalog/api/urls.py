"""The page that describes the API, in a reader's language; the API itself has none in its addresses."""

from django.urls import path

from catalog.api.views import reference

app_name = "api"
urlpatterns = [path("api/", reference, name="reference")]
