"""What the raw figures of a problem say, for tables and plots."""

from coordinator import OTHERS


def measured(row: dict, name: str) -> dict | None:
    peer = row["peers"].get(name, {})
    return peer if "seconds" in peer else None


def decode(row: dict) -> bool:
    return row["shape"]["len_q"] == 1


def share(row: dict, name: str) -> float | None:
    peer = measured(row, name)
    return 100 * peer["share"] if peer else None


def milliseconds(row: dict, name: str) -> float | None:
    peer = measured(row, name)
    return 1e3 * peer["seconds"] if peer else None


def best_other(row: dict) -> float | None:
    """Seconds of the fastest peer whose result is right."""
    times = [peer["seconds"] for peer in (measured(row, name) for name in OTHERS)
             if peer and not peer.get("mismatch")]
    return min(times, default=None)


def ratio(row: dict, name: str) -> float | None:
    """How many times as fast as the best peer."""
    best, peer = best_other(row), measured(row, name)
    return best / peer["seconds"] if best and peer else None


def mismatches(rows: list[dict]) -> list[str]:
    return [f"{row['shape']['name']}: {name} differs by {peer['max_abs_error']:.2g}, more than {peer['bound']:.2g}"
            for row in rows for name, peer in row["peers"].items() if peer.get("mismatch")]
