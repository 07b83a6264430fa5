"""Does a series of samples grow?  A line is fitted through it."""
import math


def growth(xs, ys):
    """(rise of the fitted line over the samples, its standard error)"""
    n, mx, my = len(xs), sum(xs) / len(xs), sum(ys) / len(ys)
    sxx = sum((x - mx) ** 2 for x in xs)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sxx
    rest = sum((y - my - slope * (x - mx)) ** 2 for x, y in zip(xs, ys))
    span = xs[-1] - xs[0]
    return slope * span, math.sqrt(rest / (n - 2) / sxx) * span


def judge(samples, columns):
    """Prints each column's rise; gives those that rise by more than 1 % of their mean and more than chance explains."""
    wrong = []
    for column in columns:
        ys = [s[column] for s in samples]
        rise, error = growth([s["seconds"] for s in samples], ys)
        mean = sum(ys) / len(ys)
        bad = rise > max(0.01 * mean, 3 * error)
        print(f"{column:>10}: mean {mean:.1f}, rises by {rise:.2f} ({100 * rise / max(mean, 1e-9):.2f} %), standard error {error:.2f}"
              f"{'  GROWS' if bad else ''}")
        if bad:
            wrong.append(f"{column} grows")
    return wrong
