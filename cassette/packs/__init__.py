"""Packs: cassettes and patches that repositories share. This package only reads what is local.

A qualified name such as `acme:web` names the cassette `web` of the pack `acme`. Nothing here
reaches the network or runs code of a pack.
"""

from __future__ import annotations

from cassette.packs.lookup import Packs
from cassette.packs.names import BUILTIN, check_pack_name, qualified, split
from cassette.packs.pack import Pack, built_in

__all__ = ["BUILTIN", "Pack", "Packs", "built_in", "check_pack_name", "qualified", "split"]
