#!/usr/bin/env python
"""Django's command line, with this project's settings."""

import os
import sys

from config.command_line import execute

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute(sys.argv)
