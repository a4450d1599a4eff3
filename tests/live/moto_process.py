"""Serve moto on a free loopback port: print the port, then serve until standard input ends.

Standard input is the lifeline: it ends when the test process ends, however that happens.
"""

import sys

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
