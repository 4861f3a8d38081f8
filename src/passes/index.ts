/**
 * The passes, in order. Each is a pure function from graph to graph.
 *
 * | pass                  | purpose                                                          | depends on                   |
 * |-----------------------|------------------------------------------------------------------|------------------------------|
 * | remove-dead-nodes     | what reaches no output is not looked at                          |                              |
 * | sink-transposes       | transposes go down, merge and cancel                             |                              |
 * | simplify-concats      | concats become pairs, pads by nothing reshapes                   |                              |
 * | simplify-shapes       | reshapes go, whole-picture pools become global                   | first: what follows looks at |
 * |                       |                                                                  | neighbours                   |
 * | recognise-activations | relu6, hard-sigmoid, hard-swish spelled out become nodes         | affines as they were loaded  |
 * | absorb-pad            | zeros go into the padding of a convolution or average pool       |                              |
 * | fold-batch-norm       | batch-norm and affine go into weights and bias                   | recognise-activations, which |
 * |                       |                                                                  | needs x + 3 unfolded         |
 * | scale-clips           | a clip to [0, b] becomes relu6 between two scales                | fold-batch-norm; before      |
 * |                       |                                                                  | sink-scales, which takes one |
 * | sink-scales           | scales without shift go down into weights                        | fold-batch-norm, which folds |
 * |                       |                                                                  | upwards where it can         |
 * | sink-transposes       | again: an affine of one value for all is left                      | fold-batch-norm              |
 * | simplify-shapes       | again: a batch-norm between reshape and fully connected is gone  | fold-batch-norm              |
 * | fuse-activation       | activations go into the node before                              | fold-batch-norm              |
 * | fuse-residual         | sums go into the convolution before                              | fold-batch-norm; after       |
 * |                       |                                                                  | fuse-activation: relu(a + b) |
 * |                       |                                                                  | keeps its own sum            |
 */
import type { Graph } from '../graph/graph.ts';
import { absorbPad } from './absorb-pad.ts';
import { foldBatchNorm } from './fold-batch-norm.ts';
import { fuseActivation } from './fuse-activation.ts';
import { fuseResidual } from './fuse-residual.ts';
import type { Pass } from './pass.ts';
import { recogniseActivations } from './recognise-activations.ts';
import { removeDeadNodes } from './remove-dead-nodes.ts';
import { scaleClips } from './scale-clips.ts';
import { simplifyConcats } from './simplify-concats.ts';
import { simplifyShapes } from './simplify-shapes.ts';
import { sinkScales } from './sink-scales.ts';
import { sinkTransposes } from './sink-transposes.ts';

const passes: readonly Pass[] = [
  removeDeadNodes,
  sinkTransposes,
  simplifyConcats,
  simplifyShapes,
  recogniseActivations,
  absorbPad,
  foldBatchNorm,
  scaleClips,
  sinkScales,
  sinkTransposes,
  simplifyShapes,
  fuseActivation,
  fuseResidual,
];

/** The graph that will run. Throws `GraphError` where the graph is inconsistent. */
export const runPasses = (graph: Graph): Graph => passes.reduce((current, pass) => pass(current), graph);

/** The same for a graph that has not been through them: a saved model's has. */
export const prepare = (graph: Graph): Graph => (graph.prepared ? graph : runPasses(graph));
