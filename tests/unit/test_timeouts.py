"""A timeout of a green socket leaves nothing behind. In a process of its own, for eventlet patches its process."""

import subprocess
import sys

import pytest

SILENCE = """
import gc
import weakref

import eventlet
from eventlet.green import socket

from chassis.worker import timeouts

class InHand:
    pass

def listen(ear):
    in_hand = InHand()
    left = weakref.ref(in_hand)
    try:
        ear.recv(1)
    except TimeoutError:
        return left

{cut}
gc.disable()
ear, mouth = socket.socketpair()
ear.settimeout(0.01)
left = listen(ear)
eventlet.sleep(0)
print("left" if left() else "let go")
"""


@pytest.mark.parametrize(("cut", "told"), [("", "left"), ("timeouts.cut_circles()", "let go")])
def test_a_timeout_lets_go_of_what_it_interrupted(cut: str, told: str) -> None:
    code = SILENCE.format(cut=cut)
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == told
