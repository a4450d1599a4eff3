"""Packs fetched from stores and published to them.

Only `cassette sync` and `cassette publish` import this package: a test run cannot reach a store.
"""
