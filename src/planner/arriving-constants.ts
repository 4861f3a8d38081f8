import type { ArrivingWeights } from '../graph/arriving.ts';
import type { Graph } from '../graph/graph.ts';
import { packConstants } from './create-plan.ts';
import type { ConstantSlot, ConstantUpload, Plan } from './plan.ts';
import { kernelsOf } from './select.ts';

/**
 * What `packConstants` gives, as it arrives: each batch is what is there, and packed while it is gone through. Ends with
 * `weights.all`; throws as it does.
 */
export async function* arrivingConstants(
  graph: Graph,
  plan: Plan,
  weights: ArrivingWeights,
): AsyncGenerator<Iterable<ConstantUpload>> {
  const packed = packConstants(graph, plan, await kernelsOf(plan));
  const nodesOf = ({ node }: ConstantSlot) => graph.nodes.filter(({ name }) => name === node);
  let next = 0;
  // Packing reads weights from the moment on in which the next constant is asked for.
  function* there(): Generator<ConstantUpload> {
    for (let slot = plan.constants[next]; slot && weights.has(nodesOf(slot)); slot = plan.constants[++next]) {
      yield packed.next().value!;
    }
  }
  for (let slot = plan.constants[next]; slot; slot = plan.constants[next]) {
    await weights.of(nodesOf(slot));
    yield there();
  }
  await weights.all;
}
