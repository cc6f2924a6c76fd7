"""The networks of `lyapunov.py` in other packages and in plain NumPy, one at a time; it says the exponents and the seconds.

    python benchmarks/lyapunov_packages.py IN.npz OUT.npz      # called by lyapunov.py

All get the same closed form of gradient and Hessian, in matrix products over the samples: written with automatic
differentiation they would be slower still. pynamicalsys wants functions that Numba compiles, and gets them.
"""

import contextlib
import io
import sys
import time

import numpy as np

given = np.load(sys.argv[1])
X, y, RATE, STARTS, STEPS = given["X"], given["y"], float(given["rate"]), given["starts"], int(given["steps"])
TILDE = np.column_stack([X, np.ones(len(X))])


def network(theta):
    w = np.empty((2, 3))
    w[:, :2], w[:, 2] = theta[:4].reshape(2, 2), theta[4:6]
    p = np.tanh(TILDE @ w.T)
    q = 1.0 - p * p
    return p, q, p @ theta[6:8] + theta[8] - y


def descent(theta, *_):
    p, q, r = network(theta)
    inner = ((q * theta[6:8]).T * r) @ TILDE
    gradient = np.empty(9)
    gradient[:4], gradient[4:6], gradient[6:8], gradient[8] = inner[:, :2].copy().reshape(4), inner[:, 2], p.T @ r, np.sum(r)
    return theta - RATE * gradient


def tangent(theta, *_):
    p, q, r = network(theta)
    D = np.empty((len(r), 9))
    for j in range(2):
        e = theta[6 + j] * q[:, j]
        D[:, 2 * j], D[:, 2 * j + 1], D[:, 4 + j], D[:, 6 + j] = e * TILDE[:, 0], e * TILDE[:, 1], e, p[:, j]
    D[:, 8] = 1.0
    H = D.T @ D
    for j in range(2):
        places = (2 * j, 2 * j + 1, 4 + j)
        curve, slope = -2.0 * r * theta[6 + j] * p[:, j] * q[:, j], r * q[:, j]
        for a in range(3):
            first = np.sum(slope * TILDE[:, a])
            H[places[a], 6 + j] += first
            H[6 + j, places[a]] += first
            for b in range(3):
                H[places[a], places[b]] += np.sum(curve * TILDE[:, a] * TILDE[:, b])
    return np.eye(9) - RATE * H


def plain(theta):
    Q, total = np.eye(9), np.zeros((STEPS, 9))
    for t in range(STEPS):
        Q, R = np.linalg.qr(tangent(theta) @ Q)
        total[t] = np.log(np.abs(np.diag(R)))
        theta = descent(theta)
    return np.cumsum(total, axis=0)[-1]


def by_lyapynov():
    import lyapynov

    def run(theta):
        system = lyapynov.DiscreteDS(theta, 0, descent, tangent)
        return STEPS * lyapynov.LCE(system, 9, 0, STEPS, True)[0]

    return run


def by_clvlib():
    from clvlib import numpy as clvlib

    def run(theta):
        forward = lambda t, x: descent(x)
        return STEPS * clvlib.lyap_exp_from_ic(
            forward, lambda t, x: tangent(x), theta, np.arange(STEPS + 1.0), stepper="discrete"
        )[0]

    return run


def by_pynamicalsys():
    import numba
    import pynamicalsys

    global network
    network = numba.njit(network)
    system = pynamicalsys.DiscreteDynamicalSystem(
        mapping=numba.njit(descent), jacobian=numba.njit(tangent), system_dimension=9, number_of_parameters=1
    )
    return lambda theta: STEPS * system.lyapunov(theta, STEPS, parameters=[0.0])


RUNS = {"plain NumPy": lambda: plain, "lyapynov": by_lyapynov, "clvlib": by_clvlib, "pynamicalsys": by_pynamicalsys}
out = {}
for name, prepare in RUNS.items():
    try:
        run = prepare()
        with contextlib.redirect_stderr(io.StringIO()):  # progress bars
            run(STARTS[0])
            begin = time.process_time()
            totals = [run(theta) for theta in STARTS]
            seconds = time.process_time() - begin
    except ImportError as missing:
        print(f"{name}: not installed ({missing})")
        continue
    out[f"{name}: totals"], out[f"{name}: seconds"] = np.array(totals), seconds
np.savez(sys.argv[2], **out)
