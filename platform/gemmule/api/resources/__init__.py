"""Views and serializers of the API, a module per resource."""
