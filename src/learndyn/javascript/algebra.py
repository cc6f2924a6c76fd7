"""The functions of algebra.js, of which a program contains those that it calls."""

import re
from importlib.resources import files

SOURCE = files(__package__).joinpath("algebra.js").read_text()
# name -> source without comments and line ends; every function begins with "const name=" at the start of a line
HELPERS = {
    re.match(r"const (\w+)", part)[1]: re.sub(r"\n\s*", "", part)
    for part in re.split(r"^(?=const )", re.sub(r"(?m)^\s*//.*\n", "", SOURCE), flags=re.M)
    if part
}
MATH = ("PI abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh exp expm1 floor imul log log1p max min round sign "
        "sin sinh sqrt tan tanh trunc").split()


def helpers(text):
    """JavaScript that declares what a program uses, of Math and of the functions here."""
    used, found = {}, True
    while found:
        words = set(re.findall(r"(?<![\w.\"])[A-Za-z]\w*", text + "".join(used.values())))
        found = {name: HELPERS[name] for name in sorted(words & HELPERS.keys() - used.keys())}
        used |= found
    math = [name for name in MATH if name in words]
    return (f"const{{{','.join(math)}}}=Math;" if math else "") + "".join(used.values())
