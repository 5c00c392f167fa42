"""The innermost loops of a function, found in its control-flow graph."""

import re

JUMP = re.compile(r"(jmpq?|b|br|retq?)$")
BRANCH = re.compile(r"(j\w+|b\.\w+|cbn?z|tbn?z)$")


def is_branch(instruction):
    return bool(JUMP.match(instruction.mnemonic) or BRANCH.match(instruction.mnemonic))


def blocks_of(instructions):
    """Basic blocks as lists of instructions, and the successors of each block by index. Where an indirect jump goes is
    not known, and need not be: what it may be part of is an outer loop."""
    starts = {instructions[0].address}
    for instruction, following in zip(instructions, instructions[1:]):
        if is_branch(instruction):
            starts.add(following.address)
        if instruction.target is not None:
            starts.add(instruction.target)
    blocks = []
    for instruction in instructions:
        if instruction.address in starts:
            blocks.append([])
        blocks[-1].append(instruction)
    index = {block[0].address: i for i, block in enumerate(blocks)}
    successors = []
    for i, block in enumerate(blocks):
        last = block[-1]
        after = []
        if is_branch(last) and last.target in index:
            after.append(index[last.target])
        if not JUMP.match(last.mnemonic) and i + 1 < len(blocks):
            after.append(i + 1)
        successors.append(after)
    return blocks, successors


def components(nodes, successors):
    """Strongly connected components of the graph's part `nodes`, each a set (Tarjan's algorithm, without recursion)."""
    number, low, on_stack, stack, found = {}, {}, set(), [], []
    for root in sorted(nodes):
        if root in number:
            continue
        work = [(root, iter(successors[root]))]
        number[root] = low[root] = len(number)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for after in rest:
                if after not in nodes:
                    continue
                if after not in number:
                    number[after] = low[after] = len(number)
                    stack.append(after)
                    on_stack.add(after)
                    work.append((after, iter(successors[after])))
                    break
                if after in on_stack:
                    low[node] = min(low[node], number[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    component = set()
                    while node not in component:
                        component.add(stack.pop())
                    on_stack -= component
                    found.append(component)
    return found


def innermost(nodes, successors):
    """The sets of blocks that form loops with no loop inside."""
    found = []
    for component in components(nodes, successors):
        if len(component) == 1 and not component.intersection(successors[min(component)]):
            continue
        entered = {after for node in range(len(successors)) if node not in component for after in successors[node]}
        # Without the edges to its entry only the loops inside a loop are left.
        entry = min(entered & component or component)
        found += innermost(component - {entry}, successors) or [component]
    return found


def in_order(component, blocks, successors):
    """The instructions of one iteration as executed, or None where a branch leaves two ways through the loop."""
    first = node = min(component)
    iteration = []
    for _ in component:
        iteration += blocks[node]
        inside = [after for after in successors[node] if after in component]
        if len(inside) != 1:
            return None
        node = inside[0]
    return iteration if node == first else None


def innermost_loops(instructions):
    """Innermost loops in the order of addresses: their instructions, and whether there is one way through only."""
    blocks, successors = blocks_of(instructions)
    found = []
    for component in sorted(innermost(set(range(len(blocks))), successors), key=min):
        iteration = in_order(component, blocks, successors)
        body = [instruction for node in sorted(component) for instruction in blocks[node]]
        found.append((iteration or body, iteration is not None))
    return found
