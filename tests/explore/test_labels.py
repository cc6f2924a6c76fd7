"""Words with TeX become HTML with MathML, and plain text for those who listen."""

import xml.etree.ElementTree as xml

import jaxtyping
import pytest

from learndyn.explore import _labels as labels

SPOKEN = {
    "": "", "plain words": "plain words", r"$\lambda_1$": "λ1", "time $t$": "time t", r"loss $\mathcal{L}$": "loss L",
    r"$\dot x = Ax$": "ẋ=Ax", r"$\hat\theta$": "θ̂", "$x^2$": "x^2", "$w_i'$": "wi′", r"$\frac{a+b}{2}$": "(a+b)/2", r"$\sqrt{t}$": "√t",
    r"$2/\eta$": "2/η", r"$10^{-3}$": "10^(−3)", r"$\mathbf{w}^\top$": "w^⊤", "$a$ and $b$": "a and b", r"\$5 for $x$": "$5 for x",
    r"$\lVert w\rVert^2$": "‖w‖^2", r"$\tau_i^{(2)}$": "τi^((2))", r"$\text{a time } t$": "a time t",
}  # fmt: skip


@pytest.mark.parametrize(("label", "spoken"), SPOKEN.items())
def test_plain_text(label, spoken):
    assert labels.text(label, "xlabel") == spoken


@pytest.mark.parametrize("label", SPOKEN)
def test_html_is_well_formed_and_has_one_formula_for_each(label):
    markup = labels.html(label, "xlabel")
    tree = xml.fromstring(f"<p>{markup}</p>")
    assert len(tree.findall("math")) == label.replace(r"\$", "").count("$") // 2
    assert "$" not in markup or "\\$" in label
    assert "&amp;#" not in markup and "\\" not in markup


def test_what_is_no_formula_is_escaped():
    assert labels.html('<b> & "x" </script>', "title") == "&lt;b&gt; &amp; &quot;x&quot; &lt;/script&gt;"
    assert labels.html("$a<b$", "title") == "<math><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>"
    assert labels.html(r"$\text{<img src=x>}$", "title").count("<img") == 0


def test_mathml_is_small():
    assert labels.html(r"$\lambda_1$", "label") == "<math><msub><mi>λ</mi><mn>1</mn></msub></math>"


@pytest.mark.parametrize(("label", "why"), {
    "cost $5": "even number", r"$\foo x$": r"\\foo is unknown", "$x_$": "TeX that can be read", r"$\frac{a}{b$": "braces",
    "$x}$": "braces", "$$": "TeX that can be read", r"$\left( x$": "TeX that can be read",
}.items())  # fmt: skip
def test_bad_tex_names_the_label(label, why):
    with pytest.raises(ValueError, match=rf"ylabel of line must .*{why}") as caught:
        labels.html(label, "ylabel of line")
    assert repr(label) in str(caught.value)


def test_a_label_must_be_text(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(TypeError, match="title must be a text, but is 3"):
        labels.html(3, "title")
