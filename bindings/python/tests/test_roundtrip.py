# SPDX-License-Identifier: Apache-2.0
"""What the package promises. Run: python -m unittest discover -s bindings/python/tests"""
import os
import pathlib
import sys
import tempfile
import threading
import unittest

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import fmc  # noqa: E402


def wave(shape, dtype="f4", seed=1):
    """A smooth field with a little noise."""
    grids = np.meshgrid(*(np.linspace(0, 3 + axis, n) for axis, n in enumerate(shape)), indexing="ij")
    noise = np.random.default_rng(seed).standard_normal(shape)
    return (np.sin(sum(grids)) + 0.01 * noise).astype(dtype)


def spread(array):
    return float(np.nanmax(array)) - float(np.nanmin(array))


def worst_error(a, b):
    return float(np.nanmax(np.abs(a.astype("f8") - b.astype("f8"))))


class Bounds(unittest.TestCase):
    def setUp(self):
        self.a = wave((9, 20, 31))

    def test_abs_holds(self):
        self.assertLessEqual(worst_error(self.a, fmc.decompress(fmc.compress(self.a, abs=0.02))), 0.02)

    def test_rel_holds_for_both_types_and_all_efforts(self):
        for dtype in ("f4", "f8"):
            a = self.a.astype(dtype)
            for effort in (1, 5, 9):
                b = fmc.decompress(fmc.compress(a, rel=1e-3, effort=effort))
                self.assertEqual((b.dtype, b.shape), (a.dtype, a.shape))
                self.assertLessEqual(worst_error(a, b), 1e-3 * spread(a))

    def test_pw_rel_holds(self):
        b = fmc.decompress(fmc.compress(self.a, pw_rel=0.01))
        self.assertTrue(np.all(np.abs(b.astype("f8") - self.a) <= 0.01 * np.abs(self.a.astype("f8"))))

    def test_nrmse_and_psnr_hold(self):
        for bound in ({"nrmse": 1e-3}, {"psnr": 60.0}):
            b = fmc.decompress(fmc.compress(self.a, **bound))
            rmse = np.sqrt(np.mean((b.astype("f8") - self.a) ** 2))
            self.assertLessEqual(rmse, 1e-3 * spread(self.a) * (1 + 1e-12))

    def test_size_fits(self):
        self.assertLessEqual(len(fmc.compress(self.a, size=2000)), 2000)

    def test_lossless_keeps_every_bit(self):
        self.a[0, 0, :4] = [np.nan, np.inf, -0.0, 1e-42]
        b = fmc.decompress(fmc.compress(self.a, lossless=True))
        self.assertEqual(b.tobytes(), self.a.tobytes())

    def test_a_tighter_bound_takes_more_bytes(self):
        self.assertGreater(len(fmc.compress(self.a, rel=1e-5)), len(fmc.compress(self.a, rel=1e-2)))


class Arrays(unittest.TestCase):
    def check(self, a, bound=1e-3):
        b = fmc.decompress(fmc.compress(a, abs=bound))
        self.assertEqual(b.shape, a.shape)
        if a.size:
            self.assertLessEqual(worst_error(a, b), bound)

    def test_one_to_five_dimensions(self):
        for shape in ((100,), (10, 11), (3, 5, 7), (2, 3, 5, 7), (2, 2, 3, 5, 7), (1, 1), (1,)):
            self.check(wave(shape))

    def test_any_strides(self):
        a = wave((12, 14, 16))
        for view in (a[::2, 1::3], a[::-1, :, ::-2], a.transpose(2, 0, 1), np.broadcast_to(a[0], (3, 14, 16))):
            self.check(view)

    def test_strides_do_not_change_the_bytes(self):
        view = wave((12, 14, 16)).transpose(1, 2, 0)
        self.assertEqual(fmc.compress(view, rel=1e-3), fmc.compress(view.copy(), rel=1e-3))

    def test_other_byte_order_is_converted(self):
        a = wave((8, 9))
        for order in "<>":
            b = fmc.decompress(fmc.compress(a.astype(order + "f4"), lossless=True))
            self.assertTrue(b.dtype.isnative)
            self.assertEqual(b.tobytes(), a.tobytes())

    def test_read_only_input(self):
        a = wave((8, 9))
        a.setflags(write=False)
        self.check(a)

    def test_empty_array(self):
        self.assertEqual(fmc.decompress(fmc.compress(np.zeros((0, 4), "f4"), abs=1.0)).shape, (0, 4))

    def test_nan_and_fill_come_back(self):
        a = wave((8, 30, 40))
        a[:, 5:9, 7:20] = np.nan
        a[:, 20, 20] = 1e20
        b = fmc.decompress(fmc.compress(a, abs=1e-3, fill=1e20))
        special = np.isnan(a) | (a == np.float32(1e20))
        self.assertEqual(b[special].tobytes(), a[special].tobytes())
        self.assertLessEqual(worst_error(a[~special], b[~special]), 1e-3)

    def test_wrong_arguments_are_explained(self):
        a = wave((4, 5))
        for array, arguments, error in (
                (a, {}, TypeError), (a, {"rel": 1e-3, "abs": 1.0}, TypeError), (a.astype("i4"), {"rel": 1e-3}, TypeError),
                (np.float32(1.0), {"rel": 1e-3}, ValueError), (np.zeros((1,) * 6, "f4"), {"rel": 1e-3}, ValueError),
                (np.ma.masked_invalid(a), {"rel": 1e-3}, TypeError), (a, {"rel": 1e-3, "coder": "best"}, ValueError),
                (a, {"rel": 1e-3, "chunk": (1,)}, ValueError)):
            with self.assertRaises(error):
                fmc.compress(array, **arguments)

    def test_wrong_arguments_are_named(self):
        a = wave((4, 5))
        for arguments, error in (
                ({"rel": "1e-3"}, TypeError), ({"abs": [1.0]}, TypeError), ({"psnr": 10**400}, ValueError),
                ({"effort": 12}, ValueError), ({"effort": 2**40}, ValueError), ({"effort": "5"}, TypeError),
                ({"threads": -1}, ValueError), ({"threads": 0.5}, TypeError), ({"coder": 5}, TypeError),
                ({"fill": "none"}, TypeError), ({"fill": 2**2000}, ValueError), ({"chunk": 4}, TypeError),
                ({"chunk": (-1, 1)}, ValueError), ({"chunk": (2**64, 1)}, ValueError), ({"chunk": (1.5, 1)}, TypeError),
                ({"axis": "auto"}, TypeError), ({"axis": (1, 2)}, TypeError), ({"axis": ("odd", "auto")}, ValueError),
                ({"model": "prior.fmcw"}, TypeError), ({"model": True}, TypeError)):
            bound = {} if set(arguments) & {"abs", "psnr", "rel"} else {"rel": 1e-3}
            with self.subTest(arguments), self.assertRaisesRegex(error, f"^{next(iter(arguments))}\\b"):
                fmc.compress(a, **bound, **arguments)
        data = fmc.compress(a, rel=1e-3)
        for call, words, error in (
                (lambda: fmc.decompress("field.fmc"), "^data must be .*fmc.read", TypeError),
                (lambda: fmc.info(5), "^data must be", TypeError), (lambda: fmc.read(5), "^data_or_path must", TypeError),
                (lambda: fmc.decompress(memoryview(data)[::2]), "^data must", ValueError),
                (lambda: fmc.decompress(data, threads=2**33), "^threads", ValueError),
                (lambda: fmc.read(data, threads="1"), "^threads", TypeError),
                (lambda: fmc.decompress(data, models="ab"), "^models", TypeError),
                (lambda: fmc.read(data, models=5), "^models", TypeError),
                (lambda: fmc.read(data, scale=2.0), "^scale", TypeError), (lambda: fmc.read(data, scale=3), "^scale", ValueError),
                (lambda: fmc.Model(5), "^data_or_path", TypeError)):
            with self.subTest(words), self.assertRaisesRegex(error, words):
                call()

    def test_chunk_and_axis_may_be_any_sequence(self):
        a = wave((8, 20, 24))
        want = fmc.compress(a, rel=1e-3, chunk=(4, 10, 0), axis=("unlike", "smooth", "auto"))
        for kind in (list, np.array):
            got = fmc.compress(a, rel=1e-3, chunk=kind([4, 10, 0]), axis=kind(["unlike", "smooth", "auto"]))
            self.assertEqual(got, want)

    def test_library_errors_carry_status_and_message(self):
        for call in (lambda: fmc.compress(wave((4, 5)), rel=-1.0), lambda: fmc.decompress(b"no stream at all, really"),
                     lambda: fmc.info(b"")):
            with self.assertRaises(fmc.FmcError) as caught:
                call()
            self.assertGreater(caught.exception.status, 0)
            self.assertTrue(caught.exception.message)

    def test_messages_name_no_fields_of_c(self):
        a = wave((4, 5))
        for arguments, words in (({"rel": -1.0}, "the bound must be positive"), ({"rel": 1e-3, "embed": True}, "needs a model"),
                                 ({"rel": 1e-3, "coder": "vae", "model": False}, "none is to be used")):
            with self.assertRaisesRegex(fmc.FmcError, words) as caught:
                fmc.compress(a, **arguments)
            self.assertNotRegex(caught.exception.message, "params|FMC_")
        with self.assertRaisesRegex(fmc.FmcError, "partial read"):
            fmc.decompress(fmc.compress(a, rel=1e-3)[:-1])


class Streams(unittest.TestCase):
    def setUp(self):
        self.a = wave((16, 40, 48))
        self.data = fmc.compress(self.a, rel=1e-3, chunk=(4, 16, 48))

    def test_info_describes_the_stream(self):
        facts = fmc.info(self.data)
        self.assertEqual((facts["shape"], facts["dtype"], facts["size"]), (self.a.shape, self.a.dtype, len(self.data)))
        self.assertEqual((facts["bound_kind"], facts["bound"], facts["effort"]), ("rel", 1e-3, 5))
        self.assertTrue(facts["complete"])
        self.assertEqual(sum(int(np.prod(c["shape"])) for c in facts["chunks"]), self.a.size)
        self.assertIn(facts["chunks"][0]["coder"], ("transform", "interp", "grid", "exact"))

    def test_read_gives_the_box_of_the_whole(self):
        whole = fmc.decompress(self.data)
        box = (slice(3, 9), slice(10, 33), slice(40, None))
        self.assertEqual(fmc.read(self.data, region=box).tobytes(), whole[box].tobytes())
        self.assertEqual(fmc.read(self.data).tobytes(), whole.tobytes())

    def test_region_is_that_of_numpy(self):
        whole = fmc.decompress(self.data)
        for region in (5, -1, np.int64(3), (2, slice(3, 9)), (slice(None), 7), (..., 11), (1, ..., slice(4, 8)), ..., (),
                       (slice(2, 5), ..., slice(3, 7), -1), (3, 4, 5), (slice(5, 2), 4)):
            got = fmc.read(self.data, region=region)
            self.assertEqual((got.shape, got.tobytes()), (whole[region].shape, whole[region].tobytes()))
        self.assertEqual(fmc.read(self.data, region=(4, ..., 8), scale=4).shape, (10,))
        for region, error in ((16, IndexError), (-17, IndexError), ((1, 2, 3, 4), ValueError), ((..., ...), ValueError),
                              (True, TypeError), (1.5, TypeError), ((None,), TypeError), ([1, 2], TypeError),
                              (np.array([1]), TypeError), (slice("a"), TypeError), (slice(0, 4, 2), ValueError)):
            with self.subTest(region), self.assertRaisesRegex(error, "^region"):
                fmc.read(self.data, region=region)
        with self.assertRaisesRegex(ValueError, "multiple"):
            fmc.read(self.data, region=3, scale=4)

    def test_read_from_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "field.fmc")
            pathlib.Path(path).write_bytes(self.data)
            got = fmc.read(path, region=(slice(0, 2),))
        self.assertEqual(got.tobytes(), fmc.decompress(self.data)[:2].tobytes())

    def test_a_stream_that_was_cut_off_is_read_only_if_asked_for(self):
        for data in (self.data[:len(self.data) // 2], self.data[:-1]):
            with self.assertRaisesRegex(fmc.FmcError, "partial"):
                fmc.read(data)
            part = fmc.read(data, partial=True)
            self.assertGreater(len(part), 0)
            self.assertEqual(part.tobytes(), fmc.decompress(self.data)[:len(part)].tobytes())

    def test_a_stream_without_a_complete_step_is_no_empty_array(self):
        for partial in (False, True):
            with self.assertRaisesRegex(fmc.FmcError, "no step"):
                fmc.read(self.data[:100], partial=partial)

    def test_scratch_may_be_released_at_any_time(self):
        want = fmc.compress(self.a, rel=1e-3)
        fmc.release()
        self.assertEqual(fmc.compress(self.a, rel=1e-3), want)
        fmc.release()
        fmc.release()
        self.assertEqual(fmc.decompress(self.data).shape, self.a.shape)

    def test_lossless_may_be_any_truth(self):
        self.assertEqual(fmc.compress(self.a, lossless=0, rel=1e-3), fmc.compress(self.a, rel=1e-3))
        with self.assertRaises(TypeError):
            fmc.compress(self.a, lossless=0)

    def test_preview_has_the_promised_shape(self):
        self.assertEqual(fmc.read(self.data, scale=2).shape, (8, 20, 24))
        self.assertEqual(fmc.read(self.data, region=(slice(3, 9),), scale=4).shape, (2, 10, 12))

    def test_accepts_any_bytes_like(self):
        for data in (bytearray(self.data), memoryview(self.data), np.frombuffer(self.data, "u1")):
            self.assertEqual(fmc.decompress(data).shape, self.a.shape)

    def test_threads_do_not_change_the_bytes(self):
        self.assertEqual(fmc.compress(self.a, rel=1e-3, threads=1), fmc.compress(self.a, rel=1e-3, threads=3))

    def test_parallel_calls(self):
        want, got = fmc.compress(self.a, rel=1e-3, threads=1), []
        threads = [threading.Thread(target=lambda: got.append(fmc.compress(self.a, rel=1e-3, threads=1)))
                   for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(got, [want] * 4)


class Models(unittest.TestCase):
    path = pathlib.Path(__file__).resolve().parents[3] / "tests" / "unit" / "data" / "klt.fmcw"

    def setUp(self):
        self.a = wave((5, 33, 40))
        self.model = fmc.Model(self.path)

    def test_predicts_and_is_needed(self):
        data = fmc.compress(self.a, rel=1e-2, coder="vae+transform", model=self.model)
        self.assertEqual(fmc.info(data)["chunks"][0]["model"], self.model.hash)
        with self.assertRaisesRegex(fmc.FmcError, r"give its file of weights: fmc\.Model\(FILE\)"):
            fmc.decompress(data)
        self.assertLessEqual(worst_error(self.a, fmc.decompress(data, models=[self.model])), 1e-2 * spread(self.a))
        self.assertEqual(fmc.read(data, region=(slice(1, 3),), models=[self.model]).shape, (2, 33, 40))

    def test_from_bytes(self):
        self.assertEqual(fmc.Model(self.path.read_bytes()).hash, self.model.hash)
        with self.assertRaises(fmc.FmcError):
            fmc.Model(b"no model")

    def test_in_the_stream(self):
        data = fmc.compress(self.a, rel=1e-2, model=self.model, embed=True)
        self.assertEqual(data, fmc.compress(self.a, rel=1e-2))  # it would not pay
        self.assertIsNone(fmc.info(data)["model"])
        with self.assertRaises(fmc.FmcError):
            fmc.compress(self.a, rel=1e-2, embed=True)
        stream = (self.path.parents[2] / "golden" / "streams" / "prior_embed.fmc").read_bytes()
        self.assertEqual(fmc.info(stream)["model"], fmc.info(stream)["chunks"][0]["model"])
        self.assertEqual(fmc.decompress(stream).shape, (10, 33, 50))

    def test_without(self):
        self.assertIsNone(fmc.info(fmc.compress(self.a, rel=1e-2, effort=9, model=False))["chunks"][0]["model"])
        with self.assertRaises(fmc.FmcError):
            fmc.compress(self.a, rel=1e-2, coder="vae", model=False)


if __name__ == "__main__":
    unittest.main()
