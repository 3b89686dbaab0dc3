"""What a process does with memory it needs no more."""

import platform
import subprocess
import sys

import pytest

FREED_FIRST = """
import ctypes
from pathlib import Path

from chassis import memory

bytearray(8 << 20)
{economise}
block = bytearray(1 << 20)
at = ctypes.addressof(ctypes.c_char.from_buffer(block))
heap = next(line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith("[heap]"))
start, end = (int(edge, 16) for edge in heap.split()[0].split("-"))
print("on the heap" if start <= at < end else "by itself")
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators learn nothing from what is freed")
@pytest.mark.parametrize(("economise", "lies"), [("", "on the heap"), ("memory.economise(memory.WORKER)", "by itself")])
def test_large_blocks_go_back_to_the_system_when_they_are_freed(economise: str, lies: str) -> None:
    code = FREED_FIRST.format(economise=economise)
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == lies
