"""The functions of algebra.js: what of them a program uses, and the rules of linear algebra, which call one a matrix."""

import re
from importlib.resources import files

SOURCE = files(__package__).joinpath("algebra.js").read_text()
# name -> source in one line; a function begins with "const name=" at the start of a line
HELPERS = {re.match(r"\w+", part)[0]: re.sub(r"\n\s*", "", "const " + part)
           for part in re.split(r"(?m)^const ", re.sub(r"(?m)^//.*$", "", SOURCE))[1:]}
MATH = ("PI abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh exp expm1 floor imul log log1p max min round sign "
        "sin sinh sqrt tan tanh trunc").split()


def helpers(text):
    """JavaScript that declares what a program uses of Math and of the functions here."""
    used, words = {}, None
    while words is None or len(used) < len(words & HELPERS.keys()):
        used |= {name: HELPERS[name] for name in sorted((words or set()) & HELPERS.keys())}
        words = set(re.findall(r"(?<![\w.\"])[A-Za-z]\w*", text + "".join(used.values())))
    math_ = [name for name in MATH if name in words]
    return (f"const{{{','.join(math_)}}}=Math;" if math_ else "") + "".join(used.values())
