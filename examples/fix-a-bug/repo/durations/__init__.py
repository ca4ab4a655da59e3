"""Durations as people write them: "1h30m" is 5400 seconds."""
import re

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(text):
    """Seconds in a duration such as "45s", "1h30m" or "2d 4h"; ValueError when it is none."""
    match = re.match(r"\s*(\d+)\s*([smhd])", text)
    if match is None:
        raise ValueError(f"not a duration: {text!r}")
    return int(match.group(1)) * SECONDS[match.group(2)]


def show(seconds):
    """The shortest way to write it, largest unit first; "0s" for none."""
    parts = []
    for unit in "dhms":
        count, seconds = divmod(seconds, SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
