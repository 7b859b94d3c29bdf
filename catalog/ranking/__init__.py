"""Ranks from sparse benchmark scores: pure, typed, repeatable.

`prepare` chooses the records that count (`preferred`), `publish` fits and places (`fit`, `intervals`), a `Release`
holds the result and `compare` says what moved since another. `standings` ranks inside one benchmark, `frontier` finds
the models that none beats at once in memory and score.
"""
