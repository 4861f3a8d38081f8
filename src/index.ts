/** MobileNets on WebGPU: `load()` a model, `run()` it, `validate()` it against the CPU reference. */
import './webgpu-types.ts';

export { isArchitectureId } from './architectures/id.ts';
export type { CatalogueEntry } from './catalogue/index.ts';
export type { CpuEngine, CpuExecutor, CpuFiles, CpuNetwork } from './cpu/engine.ts';
export type { AdapterDescription } from './device/gpu.ts';
export * from './errors.ts';
export type { LayerCost, LayerKind, NetworkCost } from './graph/cost.ts';
export type {
  CenterNetDecoding,
  Decoding,
  DecodingOf,
  MoveNetDecoding,
  PoseNetDecoding,
  SegmentationDecoding,
  SsdDecoding,
} from './graph/decoding.ts';
export type { Graph, GraphInput, GraphOutput, ImageRule, OutputMeaning } from './graph/graph.ts';
export type { Activation, Conv2d, Node, NodeOf, OpName, Padding, Pair, Shape } from './graph/ops.ts';
export type { GraphQuantisation, StoredTensor, WeightQuantisation } from './graph/quantisation.ts';
export { seededInputs } from './graph/random-inputs.ts';
export { softmax, topK } from './graph/scores.ts';
export type { ImageOption, ImagePreset, PartialImageRule } from './images/image-option.ts';
export type { Picture } from './images/picture.ts';
export type { PictureSource } from './images/picture-source.ts';
export type { Inspection, InspectOptions, PlanInspection } from './inspect.ts';
export {
  catalogue,
  clearCache,
  inspect,
  isCached,
  load,
  readGraph,
} from './load.ts';
export type { LoadOptions, ModelSource, WorkerLoadOptions } from './load-options.ts';
export type { CacheOption, FetchingOptions, FetchOption, Integrity } from './loaders/fetching-options.ts';
export type { LoadProgress } from './loaders/streaming.ts';
export {
  type Classification,
  type ClassifyOptions,
  type DeviceLoss,
  type Embedding,
  type LayerOptions,
  Model,
  type ModelInput,
  type ModelOutput,
  outputShapes,
  type PictureOptions,
  type StreamOptions,
  type StreamTasks,
} from './model.ts';
export type { Device, PlanOption, Precision, RunChoice, WeightOption } from './options.ts';
export type { Plan } from './planner/plan.ts';
export type { PlanKind } from './planner/prepare.ts';
export type { PlanSummary } from './planner/summary.ts';
export type { BufferInputs, Inputs, Layout, Outputs, RunOptions } from './run-options.ts';
export type { SaveOptions } from './save-model.ts';
export type { LayerTime, Profile, ProfileOptions } from './scheduler/profile.ts';
export type { StreamResult, StreamTiming } from './stream.ts';
export type { DetectedBox, DetectOptions } from './tasks/detect.ts';
export type { PoseKeypointName } from './tasks/keypoints.ts';
export type { PosedPerson, PoseOptions } from './tasks/pose.ts';
export type { Segmentation, SegmentedClass, SegmentOptions } from './tasks/segment.ts';
export type { Refusal } from './tuning/adopt.ts';
export type { DeviceRecord, DevicesRecord, LayerRecord, TuningCache, TuningRecord } from './tuning/cache.ts';
export type { TuneOptions, TuningReport } from './tuning/index.ts';
export type { Tried } from './tuning/race.ts';
export type { SelfCheck } from './tuning/tuned-executor.ts';
export type { TunedLayer, TuningProgress } from './tuning/tuner.ts';
export type { BoundCheck, LayerReport } from './validate/check-bounds.ts';
export type { Difference, OutputReport } from './validate/compare.ts';
export type { ValidationReport } from './validate/validate.ts';
export { version } from './version.ts';
export type { WorkerModel } from './worker-model.ts';
