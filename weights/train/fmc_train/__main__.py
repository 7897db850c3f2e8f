# SPDX-License-Identifier: Apache-2.0
"""python -m fmc_train COMMAND: data, train, evaluate, export, vectors, check. Each command explains itself with --help."""
import argparse
import importlib
import sys

COMMANDS = {
    "data": "run the solvers into a folder",
    "simulate": "one simulation of a chosen family and seed, as .npy",
    "train": "train one model, resumable",
    "finetune": "shipped weights to weights for your own data, in one command",
    "evaluate": "rate, error and SPERR's rate at equal error on held-out fields",
    "ablate": "variants of the network at one small budget: table and plot",
    "heavy": "heavy-tailed fields against SPERR at equal error",
    "integers": "cost of the integer decoder at equal error",
    "profile": "multiplications and time of the decoder by part",
    "export": "checkpoint to .fmcw",
    "check": "read a .fmcw the way a loader must",
    "tiny": "small random model file for tests",
    "prior-train": "train a prior from fields to .fmcw, resumable",
    "finetune-prior": "go on from a prior on one's own fields",
    "vectors": "test vectors of a .fmcw: latents in, integers out",
}


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] not in COMMANDS:
        print("usage: python -m fmc_train COMMAND ...\n")
        for name, what in COMMANDS.items():
            print(f"  {name:14} {what}")
        return 0 if arguments and arguments[0] in ("-h", "--help") else 2
    command = arguments[0]
    module = importlib.import_module(f"fmc_train.commands.{command.replace('-', '_')}")
    parser = argparse.ArgumentParser(prog=f"python -m fmc_train {command}", description=COMMANDS[command])
    module.arguments(parser)
    return module.run(parser.parse_args(arguments[1:])) or 0


if __name__ == "__main__":
    sys.exit(main())
