/** Where a network is cut when what follows, such as the decoding of detections, is not run. */

/** Operations in an order that runs, and the tensors of the network that each reads and writes; constants are left out. */
export interface Operations {
  readonly order: readonly number[];
  readonly reads: (operation: number) => readonly string[];
  readonly writes: (operation: number) => readonly string[];
}

/**
 * The tensors that operations of `left` (those not run) read, but for those that follow from others of them or from
 * `kept`, outputs that remain. In order.
 */
export function headsBefore(
  { order, reads, writes }: Operations,
  left: ReadonlySet<number>,
  kept: readonly string[],
): string[] {
  const wanted = new Set([...left].flatMap(reads));
  const own = new Set(kept);
  const follows = new Set<string>();
  const heads: string[] = [];
  for (const operation of order) {
    if (left.has(operation)) continue;
    const from = reads(operation);
    for (const tensor of writes(operation)) {
      if (follows.has(tensor)) continue;
      if (own.has(tensor) || (from.length > 0 && from.every((one) => follows.has(one)))) follows.add(tensor);
      else if (wanted.has(tensor)) {
        heads.push(tensor);
        follows.add(tensor);
      }
    }
  }
  return heads;
}
