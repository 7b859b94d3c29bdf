from __future__ import annotations

from django.urls import path

from calculator import accuracy_views, check_view, views
from calculator.glossary.views import glossary

app_name = "calculator"
urlpatterns = [
    path("calculator/", views.calculator, name="calculator"),
    path("accuracy/", accuracy_views.accuracy, name="accuracy"),
    path("glossary/", glossary, name="glossary"),
    path("check/", check_view.check_log, name="check"),
]
