"""What the commands of `alpaca-suite leaderboard` have in common."""

from pathlib import Path

import click

FOLDER = click.Path(file_okay=False, path_type=Path)
