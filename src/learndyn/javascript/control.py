"""Primitives that hold jaxprs: loops and branches. What is carried from turn to turn is overwritten, nothing else is."""

from learndyn.javascript.compiler import Symbol, call, flatten, results, rule, run
from learndyn.javascript.program import UNROLL, positions
from learndyn.javascript.values import Buffer, Constant, Scalars


def carry(program, values):
    """Variables and buffers that begin with these values."""
    carried = []
    for value in values:
        if value.size <= UNROLL:
            elements = [program.variable(value.at(position), "let") for position in positions(value.shape)]
            carried.append(Scalars(shape=value.shape, dtype=value.dtype, elements=elements))
        else:
            carried.append(program.copy(value))
    return carried


def overwrite(program, carried, values):
    """Assign all at once: what still reads an old value (in a swap, say) is put aside first."""
    names = {name for old in carried for name in (old.elements if isinstance(old, Scalars) else [old.name])}
    moves = []
    for old, value in zip(carried, values):
        if isinstance(old, Scalars):
            for target, position in zip(old.elements, positions(old.shape)):
                source = value.at(position)
                if source != target:
                    moves.append(f"{target}={program.variable(source) if source in names else source};")
        elif value is not old:
            value = program.contiguous(value)
            aside = program.copy(value) if value.name in names or value.offset else value
            moves.append(f"{old.name}.set({aside.name});")
    for move in moves:
        program.write(move)


def symbols(values):
    return [v if isinstance(v, Constant) else Symbol(v.shape, v.dtype) for v in values]


@rule("scan")
def scan(program, equation, *operands):
    p, outs = equation.params, equation.outputs
    constants, kept, length = p["num_consts"], p["num_carry"], p["length"]
    operands = [program.stored(v) for v in operands]
    given, rows = operands[:constants], operands[constants + kept :]
    carried = carry(program, operands[constants : constants + kept])
    stacked = [program.allocate(out.shape, out.dtype) for out in outs[kept:]]
    inputs = symbols(given) + [Symbol(v.aval.shape, v.aval.dtype) for v in p["jaxpr"].jaxpr.invars[constants:]]
    block, environment = flatten(program, p["jaxpr"], inputs), dict(zip(inputs, given))
    run(program, block, environment, uses=2)  # what does not change, before the loop
    with program.loop([length]) as (turn,):
        turn = length - 1 - turn if p["reverse"] else turn
        for symbol, value in zip(inputs[constants + kept :], rows):
            row = program.lazy(symbol.shape, symbol.dtype, lambda i, v=value: v.at([turn, *i]))
            environment[symbol] = program.settle(row, 1)
        environment.update(zip(inputs[constants:], carried))
        run(program, block, environment)
        outputs = results(block, environment)
        for buffer, value in zip(stacked, outputs[kept:]):
            program.fill(buffer, value, lambda i: [turn, *i])
        overwrite(program, carried, outputs[:kept])
    return carried + stacked


@rule("while")
def while_(program, equation, *operands):
    p = equation.params
    operands = [program.stored(v) for v in operands]
    tests, given = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    carried = carry(program, operands[given:])
    parts = []
    for closed, constants in [(p["cond_jaxpr"], operands[:tests]), (p["body_jaxpr"], operands[tests:given])]:
        inputs = symbols(constants) + [Symbol(v.shape, v.dtype) for v in carried]
        block, environment = flatten(program, closed, inputs), dict(zip(inputs, constants))
        run(program, block, environment, uses=2)
        environment.update(zip(inputs[len(constants) :], carried))
        parts.append((block, environment))
    (test, before), (body, environment) = parts
    with program.block("for(;;)"):
        run(program, test, before)
        program.write(f"if(!{results(test, before)[0].at(())})break;")
        run(program, body, environment)
        overwrite(program, carried, results(body, environment))
    return carried


@rule("cond")
def cond(program, equation, which, *operands):
    which, operands = program.named(which.at(())), [program.stored(v) for v in operands]
    chosen = []
    for out in equation.outputs:
        small = Scalars(shape=out.shape, dtype=out.dtype, elements=[program.variable("0", "let") for _ in positions(out.shape)]) \
            if program.small(out.shape) else program.allocate(out.shape, out.dtype)
        chosen.append(small)
    branches = equation.params["branches"]
    for k, branch in enumerate(branches):
        head = "if" if k == 0 else "else if"
        with program.block("else" if k == len(branches) - 1 else f"{head}({which}<={k})"):
            for target, value in zip(chosen, call(program, branch, operands)):
                program.fill(target, value)
    return chosen
