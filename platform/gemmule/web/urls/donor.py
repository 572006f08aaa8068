"""Addresses of the donor pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
