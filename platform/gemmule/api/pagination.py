"""Cursor pagination: stable while rows are added, and without counting them."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """Pages of 50, newest first, the cursor opaque."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"
