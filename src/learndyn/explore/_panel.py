"""What all panels have in common: words, limits, series with their names, and lines that mark a value."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

from learndyn import _require as require
from learndyn.explore import _check as check
from learndyn.explore import _labels as labels


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Title, names and limits of the two axes; limits that are None follow the data."""

    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    xlim: Sequence[float | int] | None = None
    ylim: Sequence[float | int] | None = None

    kind = "panel"
    logs = ("",)  # which axes may be logarithmic
    log = ""

    def __post_init__(self):
        if self.log not in self.logs:
            raise ValueError(f"log of {self.kind} must be one of {', '.join(map(repr, self.logs))}, but is {self.log!r}")
        for name in ("title", "xlabel", "ylabel"):
            check.text(f"{name} of {self.kind}", getattr(self, name), empty=True)
        for name in ("xlim", "ylim"):
            if getattr(self, name) is not None:
                ends = check.limits(f"{name} of {self.kind}", getattr(self, name), log=name[0] in self.log)
                object.__setattr__(self, name, ends)

    def used(self) -> set[str]:
        """The keys of the result that it draws."""
        raise NotImplementedError

    def spec(self, results: Mapping) -> dict:
        """As the script reads it; `results`, key -> shape and dtype, must have what the panel draws."""
        raise NotImplementedError

    def described(self, up: str, along: str) -> str:
        """One line for those who do not see it; `up` and `along` where the axes have no names."""
        up, along = (labels.text(label, "label") or words for label, words in ((self.ylabel, up), (self.xlabel, along)))
        title = labels.text(self.title, "title")
        return (f"{title}: " if title else "") + f"{up} against {along}"

    def common(self, up: str, along: str) -> dict:
        """The part of the spec that all kinds share."""
        words = {name: labels.html(getattr(self, name), f"{name} of {self.kind}") for name in ("title", "xlabel", "ylabel")}
        ends = {name: None if getattr(self, name) is None else list(getattr(self, name)) for name in ("xlim", "ylim")}
        return {"kind": self.kind, **words, "text": self.described(up, along), **ends}


def frame(make: Callable, given: Mapping) -> Mapping:
    """The arguments that every panel takes, after a look at their names; an error lists all that `make` takes."""
    parameters = inspect.signature(make).parameters.values()
    for name in given:
        if any(p.name == name and p.kind is p.VAR_POSITIONAL for p in parameters):
            raise ValueError(f"{name} of {make.__name__} must be given without a name, {make.__name__}('a', 'b'), but is "
                             f"{name}={given[name]!r}")  # fmt: skip
        own = [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
        require.one_of(f"the argument of {make.__name__}", name, own + [field.name for field in fields(Panel)])
    return given


def names(kind: str, labels_: Sequence[str] | None) -> tuple[str, ...] | None:
    """Names for the legend."""
    return None if labels_ is None else check.texts(f"labels of {kind}", labels_)


def split(kind: str, names: Sequence[str] | None, counts: Mapping[str, int]) -> list[dict]:
    """Each key with the number of its series and their names."""
    if names is not None and len(names) != sum(counts.values()):
        need = check.counted(sum(counts.values()), "text")
        raise ValueError(f"labels of {kind} must be {need}, one a series, but is {names!r}")
    series, rest = [], list(map(lambda name: labels.html(name, f"labels of {kind}"), names or ()))
    for key, count in counts.items():
        series.append({"key": key, "count": count, "labels": rest[:count]})
        rest = rest[count:]
    return series


def marks(name: str, given: Mapping, *, log: bool) -> dict[str | float, str]:
    """{key or number: label}, as given for vertical and horizontal lines."""
    given = check.mapping(name, given)
    for at, label in given.items():
        if isinstance(at, str):
            check.text(f"a key of {name}", at)
        else:
            require.number(f"a key of {name}", at)
            if log and at <= 0:
                raise ValueError(f"{name} must stand at positive numbers on a logarithmic axis, but one is at {at!r}")
        labels.html(label, f"{name}[{at!r}]")
    return given


def keys_of(*mentioned) -> set[str]:
    """The keys among keys, numbers, None, and collections of them."""
    found = set()
    for entry in mentioned:
        if isinstance(entry, str):
            found.add(entry)
        elif isinstance(entry, (tuple, dict)):
            found |= keys_of(*entry)
    return found


def mark_spec(name: str, marks: Mapping, results: Mapping) -> list[dict]:
    """Lines at numbers, or at each entry of a key that is a scalar or a vector."""
    for at in keys_of(marks):
        check.returned(name, at, results, ranks=(0, 1))
    return [{"at": at if isinstance(at, str) else float(at), "label": labels.html(label, name)} for at, label in marks.items()]
