"""What must hold of the inner loops, as pairs of a truth value and a line of text."""

import accepted


def stack_checks(backend):
    for kernel, loops in backend.kernels().items():
        faults = [f"{loop.tile.shape_text()} in {loop.tile.function}: {problem}"
                  for loop in loops for problem in loop.problems()]
        subject = f"{backend.name} {kernel}: {len(loops)} inner loops stay in registers"
        yield not faults, "\n        ".join([subject, *faults])


def speed_checks(backend):
    for loop in backend.loops:
        if not loop.main:
            continue
        for core in backend.cores:
            figure = loop.figures[core.name].judged
            entry = accepted.entry_for(backend.name, core.name, loop.tile.kernel)
            least = accepted.TARGET if entry is None else entry.share - accepted.SLACK
            wanted = f"at least {least:.1f}" + ("" if entry is None else f", {entry.reason}")
            yield figure >= least, f"{backend.name} {loop.tile.kernel} on {core.name}: {figure:.1f} % ({wanted})"


def model_checks(backend):
    """The models' FMA pipes are those that the shares are computed with."""
    for core in backend.cores:
        for width in sorted({loop.tile.width() for loop in backend.loops}):
            rates = {loop.figures[core.name].model_fmas for loop in backend.loops if loop.tile.width() == width}
            expected = core.model_fmas.get(width, core.fmas[width])
            text = f"{core.name} issues {expected} FMAs a cycle on {width} registers: {sorted(rates)}"
            yield rates == {expected}, text


def presence_checks(backend):
    names = ", ".join(core.name for core in backend.cores)
    yield bool(backend.cores), f"{backend.name}: cores to judge it on ({names})"
    for kind in ("scores", "values"):
        yield any(loop.tile.kind == kind for loop in backend.loops), f"{backend.name}: tiles of {kind}"


def unneeded(backends):
    """Accepted shares of these backends that every loop exceeds, as lines of text."""
    for entry in accepted.ACCEPTED:
        shares = [
            loop.figures[core.name].judged
            for backend in backends for loop in backend.loops for core in backend.cores
            if loop.main and entry.fits(backend.name, core.name, loop.tile.kernel)]
        if shares and min(shares) >= accepted.TARGET:
            yield f"{entry.backend} {entry.kernel} on {entry.core}: nothing needs the accepted share any more"


def every(backends):
    for backend in backends:
        yield from presence_checks(backend)
        yield from stack_checks(backend)
        yield from speed_checks(backend)
        yield from model_checks(backend)
