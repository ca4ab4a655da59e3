import unittest

from durations import parse, show


class Parse(unittest.TestCase):
    def test_one_unit(self):
        self.assertEqual(parse("45s"), 45)
        self.assertEqual(parse("2d"), 172800)

    def test_several_units(self):
        self.assertEqual(parse("1h30m"), 5400)
        self.assertEqual(parse("1d2h3m4s"), 93784)

    def test_spaces_between_units(self):
        self.assertEqual(parse(" 2d 4h "), 187200)

    def test_what_is_no_duration(self):
        for text in ("", "h", "12", "5x", "1h and a half", "1h30"):
            with self.subTest(text), self.assertRaises(ValueError):
                parse(text)


class Show(unittest.TestCase):
    def test_largest_unit_first(self):
        self.assertEqual(show(93784), "1d2h3m4s")

    def test_nothing(self):
        self.assertEqual(show(0), "0s")

    def test_is_what_parse_reads(self):
        for seconds in (1, 59, 60, 3599, 5400, 86400, 187200):
            with self.subTest(seconds):
                self.assertEqual(parse(show(seconds)), seconds)


if __name__ == "__main__":
    unittest.main()
