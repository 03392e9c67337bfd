# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Takes an order every second: asks the web server for the price and adds it up in the store.

Says when it is ready, how far it is and that it is alive, as sd_notify(3) describes. When the web server or the
store does not answer for a while it ends, and leaves it to its supervisor what to do about that.
"""
import os
import signal
import socket
import sys
import time
import urllib.request

TRIES = 10
PAUSE = 0.3


def notify(text):
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address[0] == "@":
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.sendto(text.encode(), address)


def price():
    with urllib.request.urlopen(os.environ["SHOP_URL"], timeout=2) as answer:
        return int(answer.read())


def add(key, amount):
    """INCRBY, in the store's own protocol."""
    host, port = os.environ["SHOP_STORE"].rsplit(":", 1)
    words = ("INCRBY", key, str(amount))
    request = "*%d\r\n" % len(words) + "".join("$%d\r\n%s\r\n" % (len(w), w) for w in words)
    with socket.create_connection((host, int(port)), timeout=2) as sock:
        sock.sendall(request.encode())
        answer = sock.makefile("rb").readline()
    if not answer.startswith(b":"):
        raise OSError("the store answered %r" % answer)
    return int(answer[1:])


def order():
    for left in reversed(range(TRIES)):
        try:
            return add("shop:orders", 1), add("shop:revenue", price())
        except (OSError, ValueError) as error:
            if left == 0:
                raise
            print("waits: %s" % error)
            time.sleep(PAUSE)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ready = "READY=1\n"
    while True:
        try:
            orders, revenue = order()
        except (OSError, ValueError) as error:
            sys.exit("gives up: %s" % error)
        done = "%d order%s, revenue %d" % (orders, "" if orders == 1 else "s", revenue)
        notify("%sWATCHDOG=1\nSTATUS=%s" % (ready, done))
        if ready or orders % 10 == 0:
            print(done)
        ready = ""
        time.sleep(1)


if __name__ == "__main__":
    main()
