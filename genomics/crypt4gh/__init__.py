"""Crypt4GH v1 (GA4GH, 2019) on pyca/cryptography: keys, header, segments, streams."""
