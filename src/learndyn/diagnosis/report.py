"""What a diagnosis says: findings with evidence and advice, as text and as a table."""

import html
from typing import NamedTuple


class Finding(NamedTuple):
    """One failure that the log shows."""

    name: str
    confidence: float  # from 1/2 to 1
    score: float
    threshold: float
    step: float  # where it shows best
    evidence: str
    cause: str | None  # what brought it about, where the log tells
    advice: str


class Diagnosis(NamedTuple):
    """Findings, causes first; scores of every rule that was judged; and what could not be judged, with what it needs."""

    findings: tuple[Finding, ...]
    scores: dict[str, float]
    not_judged: dict[str, str]

    @property
    def names(self):
        """The names of the findings."""
        return tuple(finding.name for finding in self.findings)

    def __str__(self):
        lines = [
            f"{f.name} (confidence {f.confidence:.0%}, step {f.step:g}{', ' + f.cause if f.cause else ''})\n"
            f"    {f.evidence}\n    {f.advice}"
            for f in self.findings
        ] or ["nothing found"]
        clear = [name for name in self.scores if name not in self.names]
        if clear:
            lines.append("judged and not found: " + ", ".join(clear))
        lines += [f"not judged: {name}, needs {need}" for name, need in self.not_judged.items()]
        return "\n".join(lines)

    def _repr_html_(self):
        cell = lambda text: f'<td style="text-align: left">{html.escape(text)}</td>'
        titles = ("Finding", "Confidence", "Step", "Evidence", "Advice")
        head = "<tr>" + "".join(f'<th scope="col" style="text-align: left">{t}</th>' for t in titles) + "</tr>"
        body = "".join(
            f'<tr><th scope="row" style="text-align: left">{html.escape(f.name)}'
            f"{html.escape(' (' + f.cause + ')') if f.cause else ''}</th>"
            + cell(f"{f.confidence:.0%}") + cell(f"{f.step:g}") + cell(f.evidence) + cell(f.advice) + "</tr>"
            for f in self.findings
        )  # fmt: skip
        clear = [name for name in self.scores if name not in self.names]
        rest = ([f"Judged and not found: {', '.join(clear)}."] if clear else []) + [
            f"Not judged: {name}, needs {need}." for name, need in self.not_judged.items()
        ]
        table = f"<table><caption>Diagnosis of a run</caption><thead>{head}</thead><tbody>{body}</tbody></table>"
        return (table if self.findings else "<p>Nothing found.</p>") + "".join(f"<p>{html.escape(r)}</p>" for r in rest)
