"""Primitives that hold jaxprs: loops and branches. What is carried from turn to turn is overwritten, nothing else is."""
from learndyn.javascript.compiler import prepared, rule
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.reductions import fold
from learndyn.javascript.values import Scalars, Value


def changing(program, like, expressions=None):
    """An array that is assigned to: variables if it is small, a buffer if not."""
    if like.size > UNROLL:
        return program.allocate(like)
    return Scalars(like.shape, like.dtype, elements=[program.variable(e, "let") for e in expressions or ["0"] * like.size])


def carry(program, values):
    """What changes from turn to turn, with its first values."""
    return [changing(program, v, list(map(v.at, positions(v.shape)))) if v.size <= UNROLL else program.copy(v) for v in values]


def overwrite(program, targets, values):
    """Assign all at once: what still reads an old value (in a swap, say) is put aside first."""
    names = {name for old in targets for name in (old.elements if isinstance(old, Scalars) else [old.name])}
    moves = []
    for old, value in zip(targets, values):
        if isinstance(old, Scalars):
            for target, source in zip(old.elements, map(value.at, positions(old.shape))):
                moves += [f"{target}={program.variable(source) if source in names else source};"] * (source != target)
        elif value is not old:
            value = program.contiguous(value)
            moves.append(f"{old.name}.set({(program.copy(value) if value.name in names else value).name});")
    program.write("".join(moves))


@rule("scan")
def scan(program, equation, *operands):
    p, n, kept, length = (equation.params[name] for name in ("jaxpr", "num_consts", "num_carry", "length"))
    operands = [program.evaluated(v) for v in operands]
    rows, carried = [program.readable(v) for v in operands[n + kept :]], carry(program, operands[n : n + kept])
    stacked = [program.allocate(out) for out in equation.outputs[kept:]]
    turn = prepared(program, p.jaxpr, p.consts, operands[:n])
    for (k,) in program.each([length], 0):
        k = length - 1 - k if equation.params["reverse"] else k
        row = [program.lazy(Value(v.shape[1:], v.dtype), lambda i, v: v.at([k, *i]), v) for v in rows]
        outputs = turn(carried + [program.settle(v) for v in row])
        for buffer, value in zip(stacked, outputs[kept:]):
            program.fill(buffer, value, lambda i: [k, *i])
        overwrite(program, carried, outputs[:kept])
    return carried + stacked


@rule("while")
def while_(program, equation, *operands):
    p, operands = equation.params, [program.evaluated(v) for v in operands]
    n, m = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    carried = carry(program, operands[m:])
    test = prepared(program, p["cond_jaxpr"].jaxpr, p["cond_jaxpr"].consts, operands[:n])
    turn = prepared(program, p["body_jaxpr"].jaxpr, p["body_jaxpr"].consts, operands[n:m])
    program.write("for(;;){")
    go_on = program.stored(test(carried)[0])
    anywhere = fold(program, "or", Value((), go_on.dtype), go_on.shape, lambda o, i: go_on.at(i))
    program.write(f"if(!{anywhere.at(())})break;")
    values = turn(carried)
    if go_on.shape:  # under vmap some loops have ended while others go on
        def at(i, go_on, new, old):
            return f"({go_on.at(i[:len(go_on.shape)])}?{new.at(i)}:{old.at(i)})"

        values = [program.settle(program.lazy(old, at, go_on, new, old, computed=True)) for new, old in zip(values, carried)]
    overwrite(program, carried, values)
    program.write("}")
    return carried


@rule("cond")
def cond(program, equation, which, *operands):
    which, operands = which.at(()), [program.evaluated(v) for v in operands]
    chosen, branches = [changing(program, out) for out in equation.outputs], equation.params["branches"]
    for k, branch in enumerate(branches):
        program.write(f"{'else ' if k else ''}{f'if({which}<={k})' if k < len(branches) - 1 else ''}{{")
        for target, value in zip(chosen, prepared(program, branch.jaxpr, branch.consts, operands, uses=0)([])):
            program.fill(target, value)
        program.write("}")
    return chosen
