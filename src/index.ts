/** MobileNets on WebGPU: `load()` a model, `run()` it, `validate()` it against the CPU reference. */
export { buildArchitecture, isArchitectureId } from './architectures/index.ts';
export { composedFilter, normalConvolution, separableConvolution } from './architectures/lesson.ts';
export type { AdapterDescription } from './device/gpu.ts';
export * from './errors.ts';
export { type LayerCost, layerCosts, networkCost, separableRatio } from './graph/cost.ts';
export type { Graph, GraphInput, GraphOutput, ImageRule } from './graph/graph.ts';
export type { Activation, Conv2d, Node, NodeOf, OpName, Padding, Pair, Shape } from './graph/ops.ts';
export { imageToTensor, type Picture } from './images/image-to-tensor.ts';
export { type Inspection, inspect, type PlanInspection } from './inspect.ts';
export { type LoadOptions, type LoadProgress, load, type ModelSource, readGraph } from './load.ts';
export {
  type Classification,
  type ClassifyOptions,
  type Embedding,
  type Inputs,
  Model,
  type ModelOptions,
  type Outputs,
  outputShapes,
  softmax,
  topK,
} from './model.ts';
export type { Plan, Precision } from './planner/plan.ts';
export type { PlanKind } from './prepare.ts';
export { seededInputs } from './random-inputs.ts';
export type { LayerTime, Profile, ProfileOptions } from './scheduler/profile.ts';
export type { Refusal } from './tuning/adopt.ts';
export type { LayerRecord, TuningCache, TuningRecord } from './tuning/cache.ts';
export type { TuneOptions, TuningReport } from './tuning/index.ts';
export type { Tried } from './tuning/race.ts';
export type { TunedLayer, TuningProgress } from './tuning/tuner.ts';
export type { OutputReport } from './validate/compare.ts';
export type { LayerReport, ValidationReport } from './validate/validate.ts';
export { version } from './version.ts';
