"""Primitives that hold jaxprs: loops and branches. What is carried from turn to turn is overwritten, nothing else is."""

from learndyn.javascript.compiler import prepared, rule
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.values import Scalars


def variables(program, like, expressions=None):
    """An array that changes: variables if it is small, a buffer if not."""
    if like.size > UNROLL:
        return program.allocate(like.shape, like.dtype)
    elements = [program.variable(e, "let") for e in expressions or ["0"] * like.size]
    return Scalars(shape=like.shape, dtype=like.dtype, elements=elements)


def carry(program, values):
    """What changes from turn to turn, with its first values."""
    return [program.copy(v) if v.size > UNROLL else variables(program, v, [v.at(i) for i in positions(v.shape)]) for v in values]


def overwrite(program, targets, values):
    """Assign all at once: what still reads an old value (in a swap, say) is put aside first."""
    names = {name for old in targets for name in (old.elements if isinstance(old, Scalars) else [old.name])}
    moves = []
    for old, value in zip(targets, values):
        if isinstance(old, Scalars):
            for target, position in zip(old.elements, positions(old.shape)):
                source = value.at(position)
                moves += [f"{target}={program.variable(source) if source in names else source};"] * (source != target)
        elif value is not old:
            value = program.contiguous(value)
            moves.append(f"{old.name}.set({(program.copy(value) if value.name in names else value).name});")
    program.write("".join(moves))


@rule("scan")
def scan(program, equation, *operands):
    p, n, kept = equation.params, equation.params["num_consts"], equation.params["num_carry"]
    operands = [program.stored(v) for v in operands]
    rows, carried = operands[n + kept :], carry(program, operands[n : n + kept])
    stacked = [program.allocate(out.shape, out.dtype) for out in equation.outputs[kept:]]
    turn = prepared(program, p["jaxpr"].jaxpr, p["jaxpr"].consts, operands[:n])
    with program.loop([p["length"]]) as (k,):
        k = p["length"] - 1 - k if p["reverse"] else k
        rows = [program.lazy(v.shape[1:], v.dtype, lambda i, v: v.at([k, *i]), v) for v in rows]
        outputs = turn(carried + [program.settle(row, 1) for row in rows])
        for buffer, value in zip(stacked, outputs[kept:]):
            program.fill(buffer, value, lambda i: [k, *i])
        overwrite(program, carried, outputs[:kept])
    return carried + stacked


@rule("while")
def while_(program, equation, *operands):
    p, operands = equation.params, [program.stored(v) for v in operands]
    n, m = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    carried = carry(program, operands[m:])
    test = prepared(program, p["cond_jaxpr"].jaxpr, p["cond_jaxpr"].consts, operands[:n])
    turn = prepared(program, p["body_jaxpr"].jaxpr, p["body_jaxpr"].consts, operands[n:m])
    program.write("for(;;){")
    program.write(f"if(!{test(carried)[0].at(())})break;")
    overwrite(program, carried, turn(carried))
    program.write("}")
    return carried


@rule("cond")
def cond(program, equation, which, *operands):
    which, operands = program.named(which.at(())), [program.stored(v) for v in operands]
    chosen, branches = [variables(program, out) for out in equation.outputs], equation.params["branches"]
    for k, branch in enumerate(branches):
        program.write(f"{'else ' if k else ''}{f'if({which}<={k})' if k < len(branches) - 1 else ''}{{")
        for target, value in zip(chosen, prepared(program, branch.jaxpr, branch.consts, operands, uses=0)([])):
            program.fill(target, value)
        program.write("}")
    return chosen
