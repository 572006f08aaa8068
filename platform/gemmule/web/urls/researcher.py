"""Addresses of the researcher pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
