/**
 * The nodes that `roots` depend on, each after those that it depends on: in the file's order where that is such an
 * order. `dependencies` are looked up once a node, without recursion, so that no file can exhaust the stack; `cycle`
 * throws.
 */
export function schedule(
  roots: Iterable<number>,
  dependencies: (index: number) => readonly number[],
  cycle: (index: number) => never,
): number[] {
  const known = new Map<number, readonly number[]>();
  const done = new Set<number>();
  const order: number[] = [];
  const open = (index: number) => {
    const needed = dependencies(index);
    known.set(index, needed);
    return { index, needed, next: 0 };
  };
  for (const root of roots) {
    if (known.has(root)) continue;
    const stack = [open(root)];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const index = top.needed[top.next++];
      if (index === undefined) {
        done.add(top.index);
        order.push(top.index);
        stack.pop();
      } else if (!known.has(index)) stack.push(open(index));
      else if (!done.has(index)) cycle(index);
    }
  }
  const inFileOrder = [...order].sort((a, b) => a - b);
  return inFileOrder.every((index) => known.get(index)!.every((needed) => needed < index)) ? inFileOrder : order;
}
