#!/usr/bin/env python3
"""Children of an Ed25519 public key as docs/ed25519-hd.md specifies them, from that page alone.

Plain Python, slow, not constant in time: it handles public keys and chain codes only.

    python3 docs/ed25519_hd.py                 prints the vectors
    python3 docs/ed25519_hd.py --check FILE    compares them with FILE
"""

import hashlib
import hmac
import json
import sys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    """Twisted Edwards addition (RFC 8032, section 5.1.4), affine."""
    (x1, y1), (x2, y2) = a, b
    t = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P) % P
    return x, y


def times(k, point):
    total = (0, 1)
    while k:
        if k & 1:
            total = add(total, point)
        point = add(point, point)
        k >>= 1
    return total


def decode(data):
    """RFC 8032, section 5.1.3."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        raise ValueError("not canonical")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x2 = u * pow(v, -1, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if x * x % P != x2:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != x2 or (x == 0 and sign):
        raise ValueError("not on the curve")
    return (P - x if x & 1 != sign else x), y


def encode(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decode(bytes.fromhex("58" + "66" * 31))


def child(key, chain_code, index):
    """One step: the child's key and chain code."""
    if not 0 <= index < 2**31:
        raise ValueError("hardened")
    tail = key + index.to_bytes(4, "big")
    tweak = hmac.digest(chain_code, b"quorate/eddsa-ed25519/child/tweak/v1" + tail, hashlib.sha512)
    chain = hmac.digest(chain_code, b"quorate/eddsa-ed25519/child/chain/v1" + tail, hashlib.sha512)
    scalar = int.from_bytes(tweak, "little") % L
    moved = add(decode(key), times(scalar, BASE))
    if scalar == 0 or moved == (0, 1):
        raise ValueError("no such child")
    return encode(moved), chain[:32]


def vectors():
    # RFC 8032, section 7.1, TEST 1 to 3: public keys that everybody has.
    keys = [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    ]
    paths = ["m/0", "m/1", "m/2147483647", "m/0/0", "m/44/501/7"]
    for number, start in enumerate(keys):
        chain_start = hashlib.sha256(b"chain code %d" % number).digest()
        for path in paths:
            key, chain = bytes.fromhex(start), chain_start
            for step in path.split("/")[1:]:
                key, chain = child(key, chain, int(step))
            yield {
                "key": start,
                "chain_code": chain_start.hex(),
                "path": path,
                "child_key": key.hex(),
                "child_chain_code": chain.hex(),
            }


if __name__ == "__main__":
    found = list(vectors())
    if sys.argv[1:2] == ["--check"]:
        with open(sys.argv[2], encoding="utf-8") as file:
            same = json.load(file) == found
        print(f"{len(found)} vectors", "agree" if same else "DIFFER")
        sys.exit(0 if same else 1)
    json.dump(found, sys.stdout, indent=2)
    print()
