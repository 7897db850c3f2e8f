# SPDX-License-Identifier: Apache-2.0
"""The command line through all its verbs, with good and bad input. FMC names the program."""
import hashlib
import json
import os
import resource
import struct
import subprocess
import unittest
from fractions import Fraction

from cli_files import FMC, CliCase, field, npy_bytes, npy_read, pack, unpack

DIMS = (12, 24, 32)
NAN, INF = float("nan"), float("inf")


class Streams(CliCase):
    """A small field and streams of it."""

    def setUp(self):
        super().setUp()
        self.values = unpack(pack(field(DIMS)))
        self.put("in.npy", npy_bytes(pack(self.values), DIMS))
        self.range = max(self.values) - min(self.values)

    def compress(self, *args, source="in.npy", out="out.fmc"):
        self.run_fmc("compress", source, "-o", out, *args)
        return self.get(out)

    def decoded(self, *args, stream="out.fmc"):
        self.run_fmc("decompress", stream, "-o", "back.npy", *args)
        dims, kind, data = npy_read(self.get("back.npy"))
        return dims, unpack(data, kind)

    def worst(self, back, original=None):
        return max(abs(Fraction(a) - Fraction(b)) for a, b in zip(original or self.values, back))


class Bounds(Streams):
    def check(self, *args):
        stream = self.compress(*args)
        self.assertLessEqual(len(stream), 1.01 * 4 * len(self.values) + 256)
        text = self.run_fmc("verify", "in.npy", "out.fmc").decode()
        self.assertIn(": holds", text)
        dims, back = self.decoded()
        self.assertEqual(dims, DIMS)
        return back

    def test_abs_holds_exactly(self):
        self.assertLessEqual(self.worst(self.check("--abs", "0.01")), Fraction(0.01))

    def test_rel_holds_exactly(self):
        self.assertLessEqual(self.worst(self.check("--rel", "1e-3")), Fraction(1e-3 * self.range))

    def test_pw_rel_holds(self):
        back = self.check("--pw-rel=1e-4")
        self.assertTrue(all(abs(a - b) <= 1e-4 * abs(a) for a, b in zip(self.values, back)))

    def rmse(self, back):
        return (sum((a - b) ** 2 for a, b in zip(self.values, back)) / len(back)) ** 0.5

    def test_nrmse_holds(self):
        self.assertLessEqual(self.rmse(self.check("--nrmse", "1e-3")), 1e-3 * self.range * (1 + 1e-9))

    def test_psnr_holds(self):
        self.assertLessEqual(self.rmse(self.check("--psnr", "60")), 1e-3 * self.range * (1 + 1e-9))

    def test_size_holds(self):
        size = 40000
        self.check("--size", "40k")
        self.assertLessEqual(len(self.get("out.fmc")), size)

    def test_lossless_is_bit_equal(self):
        self.values[5:9] = [NAN, INF, -INF, -0.0]
        samples = bytearray(pack(self.values))
        samples[40:44] = struct.pack("=I", 0x7FC12345)  # a NaN with a payload
        self.put("in.npy", npy_bytes(bytes(samples), DIMS))
        self.compress("--lossless")
        self.decoded()
        self.assertEqual(npy_read(self.get("back.npy"))[2], bytes(samples))
        self.assertIn("all bit-equal", self.run_fmc("verify", "in.npy", "out.fmc").decode())

    def test_every_effort_and_coder_works(self):
        for args in (["--effort", "1"], ["--effort", "9"], ["--coder", "transform"], ["--coder", "interp"],
                     ["--coder", "exact"], ["--model", "none", "--threads", "1"], ["--chunk", "4,16,16"],
                     ["--axis", "unlike,smooth,periodic"]):
            with self.subTest(args=args):
                self.assertLessEqual(self.worst(self.check("--abs", "0.01", *args)), Fraction(0.01))


class Samples(Streams):
    """Inputs and outputs in every form."""

    def test_npy_versions_orders_and_types(self):
        dims = (3, 4, 5)
        values = [float(i) for i in range(60)]
        columns = [values[(i * 4 + j) * 5 + k] for k in range(5) for j in range(4) for i in range(3)]
        for kind in ("f4", "f8"):
            for order in "<>":
                for version in (1, 2, 3):
                    for fortran in (False, True):
                        with self.subTest(kind=kind, order=order, version=version, fortran=fortran):
                            samples = pack(columns if fortran else values, kind, order)
                            self.put("a.npy", npy_bytes(samples, dims, kind, order, fortran, version))
                            self.compress("--lossless", source="a.npy")
                            got = self.decoded()
                            self.assertEqual(got, (dims, values))
                            self.assertEqual(npy_read(self.get("back.npy"))[1], kind)
                            self.run_fmc("verify", "a.npy", "out.fmc")

    def test_raw_in_and_out(self):
        self.put("in.f32", pack(self.values))
        self.compress("--lossless", "-d", "12,24,32", "-t", "f32", source="in.f32")
        self.run_fmc("decompress", "out.fmc", "-o", "back.f32")
        self.assertEqual(self.get("back.f32"), pack(self.values))
        self.run_fmc("verify", "in.f32", "out.fmc", "-d", "12,24,32", "-t", "f32")
        self.run_fmc("decompress", "out.fmc", "-o", "back.bin", "-t", "npy")
        self.assertEqual(npy_read(self.get("back.bin"))[0], DIMS)

    def test_pipes(self):
        stream = self.run_fmc("compress", "-", "-o", "-", "--rel", "1e-3", data=self.get("in.npy"))
        self.assertEqual(stream, self.compress("--rel", "1e-3"))
        data = self.run_fmc("decompress", "-", "-o", "-", data=stream)
        self.assertEqual(npy_read(data), npy_read(self.get_decoded()))
        raw = self.run_fmc("decompress", "-", "-o", "-", "-t", "raw", data=stream)
        self.assertEqual(raw, npy_read(data)[2])
        self.run_fmc("info", "-", data=stream)
        self.run_fmc("verify", "in.npy", "-", data=stream)
        self.run_fmc("verify", "-", "out.fmc", data=self.get("in.npy"))

    def get_decoded(self):
        self.decoded()
        return self.get("back.npy")

    def test_fill_values_come_back(self):
        for i in range(100, 200):
            self.values[i] = -9999.0
        self.put("in.npy", npy_bytes(pack(self.values), DIMS))
        self.compress("--abs", "0.01", "--fill", "-9999")
        self.assertEqual(self.decoded()[1][100:200], [-9999.0] * 100)
        text = self.run_fmc("verify", "in.npy", "out.fmc").decode()
        self.assertIn("non-finite or fill  100, all bit-equal", text)
        self.assertIn("fill        -9999", self.run_fmc("info", "out.fmc").decode())

    def test_odd_shapes(self):
        for dims in ((1,), (7,), (0, 4), (1, 1, 1), (3, 3, 3), (2, 3, 1, 5, 2)):
            with self.subTest(dims=dims):
                values = unpack(pack(field(dims)))
                self.put("a.npy", npy_bytes(pack(values), dims))
                self.compress("--abs", "0.5", source="a.npy")
                self.assertEqual(self.decoded()[0], dims)
                self.run_fmc("verify", "a.npy", "out.fmc")

    def test_output_replaces_a_file_and_keeps_its_mode(self):
        self.put("out.fmc", b"old")
        os.chmod(self.path("out.fmc"), 0o640)
        self.assertNotEqual(self.compress("--rel", "1e-2"), b"old")
        self.assertEqual(os.stat(self.path("out.fmc")).st_mode & 0o777, 0o640)

    def test_a_limit_of_file_sizes_is_an_error_that_leaves_nothing(self):
        self.put("out.fmc", b"precious")
        self.compress("--lossless", out="whole.fmc")
        before = sorted(os.listdir(self.folder))
        for args in (["compress", "in.npy", "--lossless", "-o", "out.fmc"], ["decompress", "whole.fmc", "-o", "new.npy"]):
            done = subprocess.run([FMC, *args], cwd=self.folder, capture_output=True, timeout=300,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(b"ulimit -f", done.stderr)
            self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(self.get("out.fmc"), b"precious")

    def test_output_goes_where_a_link_points(self):
        self.put("a.npy", npy_bytes(pack(field((4, 6))), (4, 6)))
        self.put("target", b"old, and longer than what comes" * 100)
        os.symlink("target", self.path("link"))
        self.run_fmc("compress", "a.npy", "-o", "link", "--lossless")
        self.assertTrue(os.path.islink(self.path("link")))
        self.run_fmc("compress", "a.npy", "-o", "plain", "--lossless")
        self.assertEqual(self.get("target"), self.get("plain"))

    def test_input_may_be_its_own_output(self):
        self.run_fmc("compress", "in.npy", "-o", "in.npy", "--lossless")
        self.assertEqual(self.decoded(stream="in.npy")[1], self.values)


class Parts(Streams):
    """Regions, previews, cut-off streams."""

    def setUp(self):
        super().setUp()
        self.compress("--rel", "1e-3", "--chunk", "4,0,0")
        self.whole = self.decoded()[1]

    def test_region_equals_the_same_box_of_the_whole(self):
        dims, got = self.decoded("--region", "5:9,3,:20")
        self.assertEqual(dims, (4, 1, 20))
        want = [self.whole[(t * 24 + 3) * 32 + x] for t in range(5, 9) for x in range(20)]
        self.assertEqual(got, want)
        self.assertEqual(self.decoded("--region", "11")[1], self.whole[11 * 24 * 32:])

    def test_scale_gives_a_smaller_likeness(self):
        dims, got = self.decoded("--scale", "1/4")
        self.assertEqual(dims, (3, 6, 8))
        self.assertTrue(all(min(self.values) - 5 < x < max(self.values) + 5 for x in got))
        self.assertEqual(self.decoded("--scale", "1/2", "--region", "4:8,0:24,8:24")[0], (2, 12, 8))
        self.assertEqual(self.decoded("--scale", "1")[1], self.whole)

    def test_region_beyond_the_array_is_refused(self):
        self.fails(1, "goes beyond axis 1", "decompress", "out.fmc", "-o", "x.npy", "--region", ":,20:25")
        self.fails(1, "names 4 axes", "decompress", "out.fmc", "-o", "x.npy", "--region", ":,:,:,:")
        self.fails(1, "no sample left", "decompress", "out.fmc", "-o", "x.npy", "--region", "1:2", "--scale", "1/4")
        self.fails(2, "must be", "decompress", "out.fmc", "-o", "x.npy", "--region", "8:3")
        self.fails(2, "must be", "decompress", "out.fmc", "-o", "x.npy", "--scale", "1/3")

    def test_cut_stream_is_refused_unless_partial(self):
        stream = self.get("out.fmc")
        self.put("cut.fmc", stream[:len(stream) * 6 // 10])
        self.fails(1, "cut off", "decompress", "cut.fmc", "-o", "x.npy")
        dims, got = self.decoded("--partial", stream="cut.fmc")
        self.assertTrue(0 < dims[0] < 12, dims)
        self.assertEqual(dims[1:], DIMS[1:])
        self.assertEqual(got, self.whole[:len(got)])
        self.assertIn("complete    no", self.run_fmc("info", "cut.fmc").decode())

    def test_a_stream_without_a_complete_step_has_nothing_to_recover(self):
        self.put("cut.fmc", self.get("out.fmc")[:100])
        for args in ([], ["--partial"]):
            self.fails(1, "nothing to recover", "decompress", "cut.fmc", "-o", "x.npy", *args)
        self.put("empty.npy", npy_bytes(b"", (0, 4)))
        self.compress("--lossless", source="empty.npy", out="empty.fmc")
        self.assertEqual(self.decoded("--partial", stream="empty.fmc")[0], (0, 4))

    def test_no_cut_is_taken_for_the_whole(self):
        stream = self.get("out.fmc")
        for size in list(range(0, 64)) + list(range(64, len(stream), 97)) + [len(stream) - 1]:
            self.put("cut.fmc", stream[:size])
            self.fails(1, "cut.fmc", "decompress", "cut.fmc", "-o", "x.npy")

    def test_garbage_is_refused(self):
        self.put("bad.fmc", bytes(range(256)) * 4)
        self.put("zero.fmc", b"")
        for name in ("bad.fmc", "zero.fmc", "in.npy"):
            for args in (["decompress", name, "-o", "x.npy"], ["info", name], ["verify", "in.npy", name]):
                self.fails(1, name, *args)


class Reports(Streams):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")

    def model_hash(self, path):
        with open(path, "rb") as f:
            return f"{struct.unpack_from('<Q', f.read(24), 16)[0]:016x}"

    def test_info_names_the_models_that_a_stream_needs(self):
        self.put_model()
        self.compress("--rel", "1e-2", "--coder", "vae+interp", "--model", "klt.fmcw", "--chunk", "4,0,0")
        needs = f"needs       model {self.model_hash(self.path('klt.fmcw'))} (not part of this fmc: --model FILE)\n"
        self.assertEqual(self.run_fmc("info", "out.fmc").decode().count(needs), 1)
        self.compress("--rel", "1e-2", "--model", "none")
        self.assertNotIn("needs", self.run_fmc("info", "out.fmc").decode())
        stream = os.path.join(self.root, "tests", "golden", "streams", "prior_embed.fmc")
        is_own = subprocess.run([FMC, "decompress", stream, "-o", "-"], capture_output=True).returncode == 0
        own = "prior, part of this fmc" if is_own else "not part of this fmc: --model FILE"
        prior = self.model_hash(os.path.join(self.root, "weights", "prior.fmcw"))
        self.assertIn(f"needs       model {prior} ({own})\n", self.run_fmc("info", stream).decode())

    def test_info_of_a_prior_prints_what_it_has(self):
        text = self.run_fmc("info", os.path.join(self.root, "weights", "prior.fmcw")).decode()
        self.assertIn("model       prior\n", text)
        for line in ("levels", "latents", "hyper"):
            self.assertNotIn(f"\n{line}  ", text)

    def test_the_manifest_tells_the_weights_that_ship(self):
        folder = os.path.join(self.root, "weights")
        with open(os.path.join(folder, "manifest.json")) as f:
            models = json.load(f)["models"]
        self.assertEqual(sorted(m["file"] for m in models), sorted(n for n in os.listdir(folder) if n.endswith(".fmcw")))
        for model in models:
            path = os.path.join(folder, model["file"])
            with open(path, "rb") as f:
                self.assertEqual(hashlib.sha256(f.read()).hexdigest(), model["sha256"])
            self.assertIn(f"hash        {model['hash']}\n", self.run_fmc("info", path).decode())

    def put_model(self):
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "..", "unit", "data", "klt.fmcw"), "rb") as f:
            model = f.read()
        self.put("klt.fmcw", model)
        return model

    def test_a_model_predicts(self):
        model = self.put_model()
        self.compress("--rel", "1e-2", "--coder", "vae+interp", "--model", "klt.fmcw")
        self.assertRegex(self.run_fmc("info", "--tiles", "out.fmc").decode(), r"interp .* vae L\d \+ ")
        self.fails(1, f"{struct.unpack_from('<Q', model, 16)[0]:016x}", "decompress", "out.fmc", "-o", "back.npy")
        self.fails(1, "; give its file of weights: --model FILE", "decompress", "out.fmc", "-o", "back.npy")
        self.fails(1, "nothing.fmcw", "decompress", "out.fmc", "-o", "back.npy", "--model", "nothing.fmcw")
        _, back = self.decoded("--model", "klt.fmcw")
        self.assertLessEqual(self.worst(back), Fraction(1e-2 * self.range))
        self.assertIn(": holds", self.run_fmc("verify", "in.npy", "out.fmc", "--model", "klt.fmcw").decode())
        self.fails(1, "none is to be used", "compress", "in.npy", "-o", "x.fmc", "--rel", "1e-2", "--coder", "vae", "--model", "none")

    def test_a_model_may_lie_in_the_stream(self):
        self.put_model()
        self.compress("--rel", "1e-2", "--model", "klt.fmcw", "--embed")
        self.assertIn("without the model", self.err)
        self.assertNotIn("model  ", self.run_fmc("info", "out.fmc").decode())
        self.decoded()
        self.fails(2, "--embed", "compress", "in.npy", "-o", "x.fmc", "--rel", "1e-2", "--embed")
        self.fails(2, "--embed", "compress", "in.npy", "-o", "x.fmc", "--rel", "1e-2", "--embed", "--model", "none")
        here = os.path.dirname(os.path.abspath(__file__))
        stream = os.path.join(here, "..", "golden", "streams", "prior_embed.fmc")
        self.assertRegex(self.run_fmc("info", stream).decode(),
                         r"model       [0-9a-f]{16} in \d+ bytes of the stream, a difference from [0-9a-f]{16}\n")
        self.run_fmc("decompress", stream, "-o", "back.npy", "--model", os.path.join(here, "..", "..", "weights", "prior.fmcw"))

    def test_info_describes_a_model(self):
        model = self.put_model()
        text = self.run_fmc("info", "klt.fmcw").decode()
        for line in ("model       vae\n", "levels      8\n", "latents     3 per 4 x 16 x 16 samples\n", '"purpose"',
                     f"hash        {struct.unpack_from('<Q', model, 16)[0]:016x}\n", f"size        {len(model)} bytes\n"):
            self.assertIn(line, text)
        self.fails(1, "leave out --tiles", "info", "--tiles", "klt.fmcw")
        self.put("bad.fmcw", model[:1000])
        self.fails(1, "ends early", "info", "bad.fmcw")
        self.put("bad.fmcw", model[:200] + bytes([model[200] ^ 1]) + model[201:])
        self.fails(1, "hash", "info", "bad.fmcw")

    def test_info_describes_header_and_chunks(self):
        self.compress("--rel", "1e-3", "--effort", "1")
        text = self.run_fmc("info", "out.fmc").decode()
        for words in ("type        f32", "shape       12 x 24 x 32", "bound       rel 0.001", "effort      1"):
            self.assertIn(words, text)
        tiles = self.run_fmc("info", "--tiles", "out.fmc").decode()
        self.assertTrue(tiles.startswith(text))
        self.assertIn("detail", tiles)

    def test_verify_reports_everything(self):
        self.compress("--rel", "1e-2")
        text = self.run_fmc("verify", "in.npy", "out.fmc").decode()
        for words in ("max abs error", "max error / range", "max rel error", "NRMSE", "PSNR", "mean SSIM",
                      "power spectrum", "non-finite or fill  0", "bound               rel 0.01"):
            self.assertIn(words, text)

    def test_verify_fails_when_one_sample_is_wrong(self):
        self.compress("--abs", "0.01")
        self.values[1000] += 0.03
        self.put("other.npy", npy_bytes(pack(self.values), DIMS))
        text = self.run_fmc("verify", "other.npy", "out.fmc", want=1).decode()
        self.assertIn("DOES NOT HOLD", text)
        self.assertIn("1 samples are beyond it", text)
        self.assertIn(" at 1,7,8", text)

    def test_verify_fails_when_a_nan_is_lost(self):
        self.compress("--abs", "0.01")
        self.values[7] = NAN
        self.put("other.npy", npy_bytes(pack(self.values), DIMS))
        self.assertIn("1 CHANGED", self.run_fmc("verify", "other.npy", "out.fmc", want=1).decode())

    def test_verify_refuses_another_shape_or_type(self):
        self.compress("--abs", "0.01")
        self.put("other.npy", npy_bytes(pack(self.values), (24, 12, 32)))
        self.fails(1, "not the original", "verify", "other.npy", "out.fmc")
        self.put("wide.npy", npy_bytes(pack(self.values, "f8"), DIMS, "f8"))
        self.fails(1, "f64", "verify", "wide.npy", "out.fmc")

    def test_bench_prints_a_line_per_effort(self):
        text = self.run_fmc("bench", "in.npy", "--runs", "1").decode()
        self.assertEqual([line.split()[0] for line in text.splitlines()[2:]], ["1", "5", "9"])
        self.assertEqual(text.count("holds"), 3)
        one = self.run_fmc("bench", "in.npy", "--runs", "1", "--effort", "1", "--lossless").decode()
        self.assertEqual(len(one.splitlines()), 3)


class Usage(Streams):
    def test_version_and_help(self):
        self.assertRegex(self.run_fmc("--version"), rb"^fmc \d+\.\d+\.\d+")
        self.assertIn(b"compress", self.run_fmc("help"))
        for verb in ("compress", "decompress", "info", "verify", "bench"):
            self.assertIn(f"usage: fmc {verb}".encode(), self.run_fmc("help", verb))
            self.assertEqual(self.run_fmc(verb, "--help"), self.run_fmc("help", verb))

    def test_bad_usage_is_exit_2_and_says_what_to_do(self):
        c = ["compress", "in.npy", "-o", "x.fmc"]
        for words, args in (("no verb", ["squeeze"]), ("no option '--fast'", c + ["--rel", "1", "--fast"]),
                            ("no option '-x'", c + ["-x"]), ("no option '--tiles'", c + ["--tiles"]),
                            ("how exact", c), ("only bound", c + ["--rel", "1e-3", "--abs", "1"]),
                            ("needs a value", c + ["--rel"]), ("number above 0", c + ["--rel", "-1"]),
                            ("number above 0", c + ["--abs", "nan"]), ("number above 0", c + ["--abs", "1e-3x"]),
                            ("takes no value", c + ["--lossless=1"]), ("from 1", c + ["--rel", "1", "--effort", "12"]),
                            ("transform", c + ["--coder", "magic"]), ("eight times", c + ["--model", "a.fmcw"] * 9),
                            ("periodic", c + ["--axis", "smooth,odd"]), ("extents", c + ["--chunk", "4,,4"]),
                            ("extents", c + ["-d", "1,2,3,4,5,6"]), ("f32 or f64", c + ["-t", "f16"]),
                            ("size in bytes", c + ["--size", "10X"]), ("number", c + ["--fill", "none"]),
                            ("also needs the type", c + ["--rel", "1", "-d", "8"]),
                            ("one file too many", c + ["b.npy"]),
                            ("also needs the shape", c + ["--rel", "1", "-t", "f32"]),
                            ("from 1 to 4096", ["bench", "in.npy", "--runs", "0"]),
                            ("given once", c + ["--rel", "1", "--fill", "1", "--fill", "2"]),
                            ("--model once", c + ["--rel", "1", "--model", "a.fmcw", "--model", "b.fmcw"]),
                            ("--model once", ["bench", "in.npy", "--model", "a.fmcw", "--model", "b.fmcw"]),
                            ("contradict", c + ["--rel", "1", "--model", "none", "--model", "b.fmcw"]),
                            ("uses no model", c + ["--lossless", "--model", "a.fmcw"]),
                            ("cannot be read without", ["decompress", "x.fmc", "-o", "x.npy", "--model", "none"]),
                            ("cannot be read without", ["verify", "in.npy", "x.fmc", "--model", "none"]),
                            ("-o OUT", ["compress", "in.npy", "--rel", "1"]), ("input file", ["info"]),
                            ("original", ["verify", "in.npy"]), ("only one", ["verify", "-", "-"])):
            with self.subTest(args=args):
                self.fails(2, words, *args)

    def test_nothing_at_all_is_bad_usage(self):
        self.assertEqual(subprocess.run([FMC], capture_output=True).returncode, 2)

    def test_options_must_fit_the_array(self):
        for args in (["--chunk", "1,2,3,4"], ["--axis", "auto,auto,auto,auto"]):
            self.fails(1, "names 4 axes", "compress", "in.npy", "-o", "x.fmc", "--rel", "1", *args)

    def test_operands_may_look_like_options(self):
        self.put("-odd.npy", self.get("in.npy"))
        self.run_fmc("compress", "-o", "x.fmc", "--rel=1e-3", "--", "-odd.npy")


class Backends(CliCase):
    def test_own_kernels_are_listed_and_one_backend_runs(self):
        lines = self.run_fmc("backends").decode().splitlines()
        names = [line[2:].split()[0] for line in lines if line[2:3].strip() and line[:2] in ("* ", "  ")]
        self.assertIn("ref", names)
        self.assertIn("cpu", names)
        self.assertEqual(sum(line.startswith("* ") for line in lines), 2)  # the chosen one and the legend
        ref = self.run_fmc("backends", "--backend", "ref").decode().splitlines()
        self.assertTrue(any(line.startswith("* ref ") for line in ref), ref)

    def test_a_backend_that_is_not_there_is_told(self):
        self.run_fmc("backends", "--backend", "nonsense", want=1)
        self.assertIn("nonsense", self.err)
        self.run_fmc("backends", "--backend", "../x", want=2)
        self.assertIn("a name that 'fmc backends' lists", self.err)
        self.run_fmc("backends", "extra", want=2)


class BadFiles(Streams):
    def refuse(self, words, *args):
        self.fails(1, words, "compress", *args, "-o", "x.fmc", "--rel", "1e-3")

    def test_missing_files_and_folders(self):
        self.refuse("cannot be read", "none.npy")
        self.refuse("is a directory", ".")
        self.fails(1, "cannot be written", "compress", "in.npy", "-o", "no/where.fmc", "--rel", "1")
        self.fails(1, "cannot be read", "info", "none.fmc")
        self.fails(1, "cannot be read", "verify", "in.npy", "none.fmc")
        self.refuse("no such file", "none.nc:T")

    def test_a_pipe_that_brings_no_npy_is_told_what_can_be_done(self):
        for data in (b"CDF\x01" + b"\0" * 60, b"\x89HDF\r\n\x1a\n" + b"\0" * 60):
            self.fails(1, "cannot come through a pipe", "compress", "-", "-o", "x.fmc", "--rel", "1e-3", data=data)
        self.fails(1, "give shape and type: -d 8,256,256 -t f32", "compress", "-", "-o", "x.fmc", "--rel", "1e-3",
                   data=pack(self.values))

    def test_a_failing_run_leaves_the_old_output(self):
        self.put("x.fmc", b"precious")
        self.refuse("is no .npy", self.path("x.fmc"))
        self.put("a.npy", npy_bytes(b"", (4,)))
        self.refuse("cut off", "a.npy")
        self.assertEqual(self.get("x.fmc"), b"precious")

    def test_raw_must_have_the_right_size(self):
        self.put("a.raw", b"\0" * 100)
        self.refuse("has 100 bytes", "a.raw", "-d", "5,6", "-t", "f32")
        self.refuse("more samples", "a.raw", "-d", "4000000000,4000000000,4000000000", "-t", "f64")
        self.refuse("is no .npy file", "a.raw")

    def test_shape_and_type_are_for_raw_samples_only(self):
        raw = ["-d", "12,24,32", "-t", "f32"]
        self.put("a.nc", b"CDF\x01" + b"\0" * 60)
        self.put("a.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 60)
        self.put("odd.npy", npy_bytes(pack([0.0] * 16), (16,)))
        self.refuse("leave them out", "in.npy", *raw)
        self.refuse("leave them out", "odd.npy", "-d", str(len(self.get("odd.npy")) // 4), "-t", "f32")
        for name in ("a.nc:T", "a.nc", "a.h5"):
            self.refuse("leave them out", name, "-d", "16", "-t", "f32")
        self.refuse("no such file", "b.nc:T", *raw)
        self.compress("--lossless")
        self.fails(1, "leave them out", "verify", "in.npy", "out.fmc", *raw)
        self.fails(1, "leave them out", "bench", "in.npy", *raw)

    def test_types_that_are_not_floats_say_what_to_do(self):
        for descr, words in (("<f2", "float16"), ("<i4", "astype"), ("|u1", "integers"), ("|b1", "integers"),
                             ("<c8", "complex"), ("|S8", "only float32"), ("<f16", "astype"), ("", "only float32")):
            with self.subTest(descr=descr):
                head = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': (2,), }}"
                self.put("a.npy", npy_bytes(b"\0" * 64, (), header=head))
                self.refuse(words, "a.npy")

    def test_hostile_npy_headers_are_refused(self):
        good = "'descr': '<f4', 'fortran_order': False, 'shape': "
        for text in ("", "{", "{}", "{'descr': '<f4'}", "{" + good + "(2,)", "{" + good + "(2}", "{" + good + "2}",
                     "{" + good + "(,)}", "{" + good + "(-2,)}", "{" + good + "(2.0,)}", "{" + good + "()}",
                     "{" + good + "(1,1,1,1,1,1)}", "{" + good + "(99999999999999999999999,)}",
                     "{" + good + "(4294967296,4294967296,4294967296)}", "{" + good + "(1000000000000,)}",
                     "{" + good + "(2,), 'more': 1}", "{" + good + "(2,), 'descr': '<f4'}",
                     "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}",
                     "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "{'descr: '<f4'}", "{" + "'" * 300,
                     "{" + "(" * 5000, "{" + good + "(2 2)}"):
            with self.subTest(text=text[:60]):
                self.put("a.npy", npy_bytes(b"\0" * 64, (), header=text or " "))
                self.refuse("a.npy", "a.npy")

    def test_npy_cut_at_any_byte_is_refused(self):
        data = npy_bytes(pack([1.0, 2.0, 3.0]), (3,))
        for size in range(len(data)):
            self.put("a.npy", data[:size])
            self.refuse("a.npy", "a.npy")

    def test_unknown_npy_version_is_refused(self):
        self.put("a.npy", b"\x93NUMPY\x04\x00" + self.get("in.npy")[8:])
        self.refuse("version 4", "a.npy")


if __name__ == "__main__":
    unittest.main()
