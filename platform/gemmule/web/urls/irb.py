"""Addresses of the irb pages."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
