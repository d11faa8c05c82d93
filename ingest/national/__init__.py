"""The national data in the box: what it is and how it was made is told in README.md."""

from pathlib import Path

NATIONAL_FILE = Path(__file__).with_name("dams.csv.gz")
