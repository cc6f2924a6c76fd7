"""The functions of algebra.js, of which a program holds those that it calls."""
import re
from importlib.resources import files

SOURCE = re.sub(r"(?m)^//.*$", "", files(__package__).joinpath("algebra.js").read_text())
HELPERS = {re.match(r"\w+", part)[0]: re.sub(r"\n\s*", "", f"const {part}") for part in re.split(r"(?m)^const ", SOURCE)[1:]}
MATH = ("PI abs acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh exp expm1 floor imul log log1p max min round sign "
        "sin sinh sqrt tan tanh trunc").split()


def helpers(text):
    """JavaScript that declares what a program uses of Math and of the functions here."""
    used, more = {}, True
    while more:
        words = set(re.findall(r"(?<![\w.\"])[A-Za-z]\w*", text + "".join(used.values())))
        more = {name: HELPERS[name] for name in sorted(words & HELPERS.keys() - used.keys())}
        used |= more
    names = [name for name in MATH if name in words]
    return (f"const{{{','.join(names)}}}=Math;" if names else "") + "".join(used.values())
