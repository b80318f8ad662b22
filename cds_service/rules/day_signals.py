"""Which leaves of a rule hold only on days that can be told from what was measured or found."""

from __future__ import annotations

from cds_service.rules.syntax import And, Compare, Expression, Found, FoundEpisodes, Or

Signal = Compare | Found | FoundEpisodes
"""A leaf that holds only on days that can be told from what was measured or found."""


def signals(node: Expression) -> tuple[tuple[Signal, ...], ...]:
    """Groups of leaves of which, in every group, one must hold for the node to hold.

    They are comparisons of latest values and findings that are there. Empty when nothing of the
    kind is needed. Lets a caller skip days on which nothing was abnormal.
    """
    if isinstance(node, Compare):
        return ((node,),) if node.selector == "latest" and node.sustained is None else ()
    if isinstance(node, Found):
        # What is absent can hold without a single finding.
        return ((node,),) if node.aspect != "absent" else ()
    if isinstance(node, FoundEpisodes):
        return ((node,),)
    if isinstance(node, And):
        return tuple(group for part in node.parts for group in signals(part))
    if isinstance(node, Or):
        found = [signals(part) for part in node.parts]
        if not all(found):
            return ()
        # One group of each alternative together: whichever alternative holds, one of them does.
        return (tuple(leaf for groups in found for leaf in min(groups, key=len)),)
    return ()
