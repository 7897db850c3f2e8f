# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional incompressible flow with one scalar, in vorticity form. Shared by turbulence2d, shear and convection.

    dw/dt + u.grad w = nu lap w - drag w + force + buoyancy ds/dx
    ds/dt + u.grad s = kappa lap s + growth s (1 - s) - gradient v

u = (d psi/dy, -d psi/dx), -lap psi = w; axis 0 is y, axis 1 is x; v is the velocity along y.
"""
import numpy as np

from .spectral import Box, rk4


class Flow2D:
    def __init__(self, shape, lengths=None, *, viscosity, diffusivity, dt, drag=0.0, force=None, buoyancy=0.0,
                 gradient=0.0, growth=0.0):
        self.box = Box(shape, lengths)
        self.dt, self.force, self.buoyancy, self.gradient, self.growth = dt, force, buoyancy, gradient, growth
        k2 = self.box.k2
        self.half = [np.exp(-(viscosity * k2 + drag) * dt / 2).astype(np.float32),
                     np.exp(-diffusivity * k2 * dt / 2).astype(np.float32)]

    def velocity(self, w):
        psi = w * self.box.inverse_k2
        return self.box.inverse(self.box.gradient(psi, 0)), self.box.inverse(-self.box.gradient(psi, 1))

    def rhs(self, state):
        box, (w, s) = self.box, state
        u, v = self.velocity(w)
        vorticity, scalar = box.inverse(w), box.inverse(s)
        dw = -box.gradient(box.forward(u * vorticity), 1) - box.gradient(box.forward(v * vorticity), 0)
        ds = -box.gradient(box.forward(u * scalar), 1) - box.gradient(box.forward(v * scalar), 0)
        if self.force is not None:
            dw = dw + self.force
        if self.buoyancy:
            dw = dw + self.buoyancy * box.gradient(s, 1)
        if self.growth:
            ds = ds + box.forward(self.growth * scalar * (1 - scalar))
        if self.gradient:
            ds = ds - self.gradient * box.forward(v)
        return [(dw * box.dealias).astype(np.complex64), (ds * box.dealias).astype(np.complex64)]

    def steps(self, state, count):
        for _ in range(count):
            state = rk4(state, self.rhs, self.half, np.float32(self.dt))
        return state

    def pressure(self, w):
        """-lap p = u_x^2 + 2 u_y v_x + v_y^2."""
        box = self.box
        psi = w * box.inverse_k2
        us, vs = box.gradient(psi, 0), -box.gradient(psi, 1)
        source = (box.inverse(box.gradient(us, 1)) ** 2
                  + 2 * box.inverse(box.gradient(us, 0)) * box.inverse(box.gradient(vs, 1))
                  + box.inverse(box.gradient(vs, 0)) ** 2)
        return box.inverse(box.forward(source) * box.inverse_k2)


def record(flow, state, frames, stride, names, fix=None):
    """Advance and collect the named fields: vorticity, scalar, velocity (along x), pressure."""
    out = {name: [] for name in names}
    for _ in range(frames):
        w, s = state
        for name in names:
            if name == "vorticity":
                out[name].append(flow.box.inverse(w))
            elif name == "scalar":
                out[name].append(flow.box.inverse(s))
            elif name == "velocity":
                out[name].append(flow.velocity(w)[0])
            else:
                out[name].append(flow.pressure(w))
        state = flow.steps(state, stride)
        if fix:
            state = fix(state)
    return {name: np.stack(values).astype(np.float32) for name, values in out.items()}
