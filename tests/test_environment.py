"""pip, uv and conda users end with the same packages, without TensorFlow, on the same Python."""

import importlib.metadata
import importlib.util
import re
import stat
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf8"))["project"]
LOCK = dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", (REPOSITORY / "requirements.lock").read_text(), re.MULTILINE))
CONDA = yaml.safe_load((REPOSITORY / "environment.yml").read_text(encoding="utf8"))["dependencies"]


def test_conda_brings_the_python_of_the_project_and_no_package():
    specs = {re.match(r"[a-z]+", spec)[0]: spec for spec in CONDA}
    assert set(specs) == {"python", "make", "pip"}
    assert specs["python"] == "python" + PROJECT["requires-python"]


def test_binder_installs_the_lock_as_it_stands():
    post_build = REPOSITORY / "postBuild"
    assert post_build.stat().st_mode & stat.S_IXUSR
    assert "pip install --no-cache-dir --no-deps --require-hashes --requirement requirements.lock" in post_build.read_text()


@pytest.mark.parametrize("package", ["tensorflow", "tf2jax", "tensorflow-cpu"])
def test_no_tensorflow(package):
    assert package not in LOCK
    assert importlib.util.find_spec(package.replace("-", "_")) is None


@pytest.mark.parametrize("extra", [None, *PROJECT["optional-dependencies"]])
def test_the_lock_holds_the_direct_dependencies(extra):
    direct = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    for name, version in (dependency.split("==") for dependency in direct):
        assert LOCK.get(name.lower()) == version


def test_every_package_of_the_lock_is_hashed():
    pins = re.split(r"^(?=[a-z0-9._-]+==)", (REPOSITORY / "requirements.lock").read_text(), flags=re.MULTILINE)[1:]
    assert len(pins) >= len(LOCK) and [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_what_is_installed_is_the_lock():
    lines = (REPOSITORY / "requirements.lock").read_text().replace("\\\n", "").splitlines()
    pins = [Requirement(line.split(" --hash")[0]) for line in lines if line]
    locked = {canonicalize_name(p.name): str(p.specifier) for p in pins if p.marker is None or p.marker.evaluate()}
    there = {canonicalize_name(d.name): f"=={d.version}" for d in importlib.metadata.distributions()}
    ours = {"learndyn", "pip"}  # the project itself, and what Python's venv brings
    assert {name: version for name, version in there.items() if name not in ours} == locked
