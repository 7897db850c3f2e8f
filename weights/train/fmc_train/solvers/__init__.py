# SPDX-License-Identifier: Apache-2.0
"""Small solvers that make training data: families of flows, waves and reactions.

Every family is a module with

    draw(rng, split) -> dict      parameters as plain numbers; split is "train" or "val" (same ranges) or "ood" (other ranges)
    run(params, seed) -> dict     name -> float32 array (T, H, W), or (Z, Y, X) where the name begins with "volume_"

The same parameters and seed give the same fields on one machine; FFT libraries differ in the last bits elsewhere.
"""
from . import convection, gray_scott, shallow_water, shear, turbulence2d, turbulence3d, waves

# name -> (module, share of the jobs); shares follow cost, so that no family takes most of the time
FAMILIES = {
    "turbulence2d": (turbulence2d, 4),
    "gray_scott": (gray_scott, 3),
    "waves": (waves, 3),
    "shallow_water": (shallow_water, 2),
    "shear": (shear, 2),
    "convection": (convection, 2),
    "turbulence3d": (turbulence3d, 1),
}
