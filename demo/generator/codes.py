"""Codes that are valid but nobody's: the numbers are drawn, the check digits computed."""

from random import Random

from stdnum import ean
from stdnum.cn import ric

from contracts import codes


def digits(rng: Random, count: int) -> str:
    """So many decimal digits."""
    return "".join(rng.choices("0123456789", k=count))


def uscc(rng: Random, division: str, kind: str) -> str:
    """GB 32100-2015; `kind` is 91 company, 92 individual trader, 93 cooperative, 12 public institution."""
    organisation = digits(rng, 8)
    first = f"{kind}{division}{organisation}{codes.organisation_check_digit(organisation)}"
    return first + codes.uscc_check_digit(first)


def licence(rng: Random, kind: str, division: str) -> str:
    """`kind` is SC with its category (SC101 grain, …) or JY1 sales, JY2 catering, JY3 canteen."""
    letters, number = kind[:2], f"{kind[2:]}{division}"
    number += digits(rng, 13 - len(number))
    return letters + number + codes.licence_check_digit(number)


def id_number(rng: Random, division: str) -> str:
    """GB 11643, of an adult."""
    born = f"{rng.randint(1960, 1995)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    first = f"{division}{born}{digits(rng, 3)}"
    return first + str(ric.calc_check_digit(first + "0"))


def gtin(rng: Random) -> str:
    """A GTIN-13 of a prefix given out in China."""
    first = "690" + digits(rng, 9)
    return first + str(ean.calc_check_digit(first))


def ear_tag(rng: Random, division: str) -> str:
    """A pig's: species, county, serial."""
    return f"1{division}{digits(rng, 8)}"


def check_digit(first17: str) -> str:
    """The last character of a USCC."""
    return codes.uscc_check_digit(first17)
