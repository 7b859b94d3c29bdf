from __future__ import annotations

from django.urls import path

from calculator import accuracy_views, check_view, views

app_name = "calculator"
urlpatterns = [
    path("calculator/", views.calculator, name="calculator"),
    path("accuracy/", accuracy_views.accuracy, name="accuracy"),
    path("check/", check_view.check_log, name="check"),
]
