"""Boxes of cells and their unions: the arithmetic under `regions`."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.rules.dimensions import Dimension

Box = Mapping[str, int]
"""Allowed cells of each dimension as a bit mask; a dimension that is not named allows all."""

Region = tuple[Box, ...]

EVERYWHERE: Region = ({},)
NOWHERE: Region = ()


def box_of(dimension: Dimension, mask: int) -> Region:
    """The region of the masked cells of one dimension; nowhere when the mask is empty."""
    return ({dimension.name: mask},) if mask else NOWHERE


def union(one: Region, other: Region) -> Region:
    """Everything that lies in one of two regions."""
    return without_contained(one + other)


def without_contained(region: Region) -> Region:
    """Drop boxes that lie inside another one; keeps the unions small."""
    kept: list[Box] = []
    for box in sorted(region, key=len):
        if not any(_contains(other, box) for other in kept):
            kept.append(box)
    return tuple(kept)


def _contains(outer: Box, inner: Box) -> bool:
    return all(name in inner and inner[name] & ~mask == 0 for name, mask in outer.items())
