#!/usr/bin/env python3
"""Run Django's command line for Gemmule."""

import os
import sys
from pathlib import Path

# `platform/` is a source root, not a package: without this line a checkout that
# was not installed would not find `gemmule`.
sys.path.insert(1, str(Path(__file__).resolve().parent / "platform"))

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gemmule.settings")
    execute_from_command_line(sys.argv)
